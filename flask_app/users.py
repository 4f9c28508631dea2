"""Users: who orders."""

from typing import Any

from flask import Blueprint

from flask_app import api, auth, outbox
from flask_app.database import db
from flask_app.pages import read_page
from flask_app.schemas.base import PageQuery
from flask_app.schemas.users import UserIn, UserOut, UserPage, UserPatch
from shared.shop import mails, rules, statements
from shared.shop.limits import now
from shared.shop.passwords import hash_password
from shared.shop.tables import User

bp = Blueprint("users", __name__, url_prefix="/api/users")


@bp.get("")
@auth.admin
@api.query(PageQuery)
@api.response(UserPage)
def list_users(query: dict[str, Any]) -> dict[str, Any]:
    """A page of users."""
    return read_page(statements.users, query)


@bp.post("")
@auth.maybe_signed_in
@api.body(UserIn)
@api.response(UserOut, 201)
@api.problems(409)
def create_user(fields: dict[str, Any]) -> tuple[User, dict[str, str]]:
    """Register a user. Only admins make admins."""
    rules.may_appoint(fields, auth.maybe_caller())
    at = now()
    user = rules.new_user(fields, hash_password(fields.pop("password")), at)
    db().add(mails.welcome(user, at))
    db().commit()
    outbox.send_soon()
    return user, {"Location": f"/api/users/{user.id}"}


@bp.get("/me")
@auth.signed_in
@api.response(UserOut)
@api.problems(404)
def read_me() -> User:
    """Read who is signed in."""
    return rules.found(db().get(User, auth.caller().user_id), "user")


@bp.get("/<id:user_id>")
@auth.signed_in
@api.response(UserOut)
@api.problems(404)
def read_user(user_id: int) -> User:
    """Read a user: oneself, or for admins anybody."""
    auth.caller().may_touch(user_id)
    return rules.found(db().get(User, user_id), "user")


@bp.patch("/<id:user_id>")
@auth.signed_in
@api.body(UserPatch)
@api.response(UserOut)
@api.problems(404, 409)
def change_user(fields: dict[str, Any], user_id: int) -> User:
    """Change some fields of a user. Only admins make admins."""
    auth.caller().may_touch(user_id)
    rules.may_appoint(fields, auth.caller())
    password = fields.pop("password", None)
    password_hash = None if password is None else hash_password(password)
    user = rules.found(db().scalar(statements.user_for_update(user_id)), "user")
    rules.change_user(user, fields, password_hash)
    db().commit()
    return user


@bp.delete("/<id:user_id>")
@auth.signed_in
@api.no_content
@api.problems(404, 409)
def delete_user(user_id: int) -> None:
    """Delete a user without orders."""
    auth.caller().may_touch(user_id)
    db().delete(rules.found(db().scalar(statements.user_for_update(user_id)), "user"))
    db().commit()

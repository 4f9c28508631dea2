"""Users: who orders."""

from typing import Annotated, Any

from fastapi import APIRouter, BackgroundTasks, Depends, Query, Response
from fastapi.concurrency import run_in_threadpool

from fastapi_app import outbox
from fastapi_app.api import Id, ShopRoute
from fastapi_app.auth import MaybeSignedIn, SignedIn, admin
from fastapi_app.database import Db
from fastapi_app.pages import read_page
from fastapi_app.resources import Shop
from fastapi_app.schemas.base import Page, PageQuery
from fastapi_app.schemas.users import UserIn, UserOut, UserPatch
from shared.shop import mails, rules, statements
from shared.shop.limits import now
from shared.shop.passwords import hash_password
from shared.shop.tables import User

router = APIRouter(prefix="/api/users", tags=["users"], route_class=ShopRoute)


@router.get("", response_model=Page[UserOut], dependencies=[Depends(admin)])
async def list_users(query: Annotated[PageQuery, Query()], db: Db) -> dict[str, Any]:
    """A page of users."""
    return await read_page(db, statements.users, query)


@router.post(
    "", response_model=UserOut, status_code=201, responses={409: {}}, openapi_extra={"security": [{}]}
)
async def create_user(
    caller: MaybeSignedIn,
    fields: UserIn,
    db: Db,
    shop: Shop,
    background: BackgroundTasks,
    response: Response,
) -> User:
    """Register a user. Only admins make admins."""
    rules.may_appoint(fields.model_dump(include={"is_admin"}), caller)
    password_hash = await run_in_threadpool(hash_password, fields.password)
    at = now()
    user = rules.new_user(fields.model_dump(exclude={"password"}), password_hash, at)
    db.add(mails.welcome(user, at))
    await db.commit()
    outbox.send_soon(background, shop.sessions)
    response.headers["Location"] = f"/api/users/{user.id}"
    return user


@router.get("/me", response_model=UserOut, responses={404: {}})
async def read_me(caller: SignedIn, db: Db) -> User:
    """Read who is signed in."""
    return rules.found(await db.get(User, caller.user_id), "user")


@router.get("/{user_id:id}", response_model=UserOut, responses={404: {}})
async def read_user(caller: SignedIn, user_id: Id, db: Db) -> User:
    """Read a user: oneself, or for admins anybody."""
    caller.may_touch(user_id)
    return rules.found(await db.get(User, user_id), "user")


@router.patch("/{user_id:id}", response_model=UserOut, responses={404: {}, 409: {}})
async def change_user(caller: SignedIn, user_id: Id, fields: UserPatch, db: Db) -> User:
    """Change some fields of a user. Only admins make admins."""
    caller.may_touch(user_id)
    changes = fields.model_dump()
    rules.may_appoint(changes, caller)
    password = changes.pop("password", None)
    password_hash = None if password is None else await run_in_threadpool(hash_password, password)
    user = rules.found(await db.scalar(statements.user_for_update(user_id)), "user")
    rules.change_user(user, changes, password_hash)
    await db.commit()
    return user


@router.delete("/{user_id:id}", status_code=204, response_class=Response, responses={404: {}, 409: {}})
async def delete_user(caller: SignedIn, user_id: Id, db: Db) -> None:
    """Delete a user without orders."""
    caller.may_touch(user_id)
    await db.delete(rules.found(await db.scalar(statements.user_for_update(user_id)), "user"))
    await db.commit()

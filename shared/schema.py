"""Creates the tables of your own database, and its admins: `python -m shared.schema [--admin USERNAME]`."""

import argparse
import os
import sys

from sqlalchemy import Engine, create_engine, update
from sqlalchemy.exc import DBAPIError

from shared.ops.settings import sqlalchemy_url
from shared.shop.tables import Base, User


def create_schema(engine: Engine) -> None:
    """Creates missing tables; existing ones are left as they are."""
    Base.metadata.create_all(engine)


def appoint(engine: Engine, username: str) -> bool:
    """Makes a registered user an admin, from their next token on; False when there is no such user."""
    statement = update(User).where(User.username == username).values(is_admin=True)
    with engine.begin() as connection:
        return connection.execute(statement).rowcount == 1


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(
        "python -m shared.schema",
        description="Create the shop's missing tables in the database at DATABASE_URL.",
    )
    parser.add_argument("--admin", metavar="USERNAME", help="make this registered user an admin")
    username = parser.parse_args().admin
    try:
        engine = create_engine(sqlalchemy_url(os.environ.get("DATABASE_URL", "")))
        create_schema(engine)
        if username and not appoint(engine, username):
            sys.exit(f"there is no user {username!r}: register first (POST /api/users)")
    except (ValueError, DBAPIError) as error:
        sys.exit(f"DATABASE_URL can't be used: {str(error).splitlines()[0]}")


if __name__ == "__main__":
    main()

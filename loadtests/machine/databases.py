"""Databases on a PostgreSQL server: a seeded template for a run, and copies of it for its servers.

Only databases named `sidebyside_...` are ever made or dropped: the user's own stay untouched.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from uuid import uuid4

import psycopg
from sqlalchemy import create_engine, make_url
from sqlalchemy.pool import NullPool

from loadtests.errors import ServerError
from loadtests.machine.reachable import first_line, libpq_url
from shared.ops.settings import sqlalchemy_url
from shared.schema import create_schema
from shared.shop import seed

# A template is named sidebyside_<12 hex digits>, a copy of it has a further _<6>; its owner is connected by its name.
_ABANDONED = """
SELECT datname FROM pg_database
WHERE datname ~ '^sidebyside_[0-9a-f]{12}(_[0-9a-f]{6})?$' AND pg_get_userbyid(datdba) = current_user
AND left(datname, 23) NOT IN (SELECT application_name FROM pg_stat_activity WHERE application_name IS NOT NULL)
"""


@contextmanager
def seeded_template(database_url: str, seed_value: int = 0) -> Iterator[str]:
    """The name of a freshly seeded database on that server; it is dropped at the end.

    Those that a killed process left behind are dropped first. Raises ServerError when the role may not create
    databases, or the server goes away.
    """
    name = f"sidebyside_{uuid4().hex[:12]}"
    with _owner(database_url, name):
        _drop_abandoned(database_url)
        with _database(database_url, name, ""):
            engine = create_engine(sqlalchemy_url(database_named(database_url, name)), poolclass=NullPool)
            create_schema(engine)
            seed.fill(engine, seed_value)
            engine.dispose()
            yield name


@contextmanager
def database_copy(database_url: str, template: str) -> Iterator[str]:
    """The URL of a copy of a seeded database, dropped at the end; ServerError as for the template."""
    name = f"{template}_{uuid4().hex[:6]}"
    with _database(database_url, name, f'TEMPLATE "{template}" STRATEGY FILE_COPY'):
        yield database_named(database_url, name)


def database_named(database_url: str, name: str) -> str:
    """The URL of another database on the same server."""
    return make_url(database_url).set(database=name).render_as_string(hide_password=False)


@contextmanager
def _database(database_url: str, name: str, like: str) -> Iterator[None]:
    try:
        _administer(database_url, f'CREATE DATABASE "{name}" {like}')
        yield
    finally:
        _administer(database_url, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@contextmanager
def _owner(database_url: str, name: str) -> Iterator[None]:
    """A connection named for the template: while it is open, the template and its copies count as in use."""
    with _administrator(database_url, name) as connection:
        connection.execute("SET idle_session_timeout = 0")
        yield


def _drop_abandoned(database_url: str) -> None:
    """Drop this role's databases whose owner's connection is gone; those that are still in use stay for next time."""
    with _administrator(database_url) as connection:
        for (name,) in connection.execute(_ABANDONED).fetchall():
            with suppress(psycopg.Error):
                connection.execute(f'DROP DATABASE IF EXISTS "{name}"'.encode())


def _administer(database_url: str, command: str) -> None:
    with _administrator(database_url) as connection:
        connection.execute(command.encode())


@contextmanager
def _administrator(database_url: str, name: str = "sidebyside") -> Iterator[psycopg.Connection]:
    """A connection that creates and drops databases; what fails becomes a ServerError."""
    url = libpq_url(database_url)
    try:
        with psycopg.connect(url, autocommit=True, application_name=name) as connection:
            yield connection
    except psycopg.errors.InsufficientPrivilege:
        raise ServerError("DATABASE_URL: the role may not create databases; grant it CREATEDB") from None
    except psycopg.OperationalError as error:
        raise ServerError(f"the connection to the database was lost: {first_line(error)}") from None

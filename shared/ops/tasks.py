"""The task queue: Celery on Redis, configured once for the apps, which fill it, and the worker, which does the tasks.

The apps read a task's outcome with their own Redis clients, each in its own idiom. Celery's result backend would
subscribe to every task that is sent and never let go of it; so only the worker has one.
"""

from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

from celery import Celery
from kombu.exceptions import OperationalError
from sqlalchemy import create_engine
from sqlalchemy.orm import Session, sessionmaker

from shared.ops.settings import Settings, engine_options, sqlalchemy_url
from shared.ops.telemetry import request_id
from shared.shop import reports, statements
from shared.shop.errors import Unavailable
from shared.shop.limits import now

QUEUE = "reports"
PING, REPORT = "shop.ping", "shop.report"
_TIMEOUT_S = 1
_LIFETIME_S = int(reports.LIFETIME.total_seconds())


def make_celery(settings: Settings, *, worker: bool = False) -> Celery:
    """Celery for a shop, not connected yet. All its keys begin with the namespace, so that shops can share a Redis."""
    url = celery_url(settings.redis_url)
    celery = Celery("shop", broker=url, backend=url if worker else None, set_as_current=False)
    prefix = {"global_keyprefix": _prefix(settings.namespace)}
    # kombu gives one pool to all of a process that ask for the same URL and options: a name makes it ours alone.
    private = prefix | {"client_name": f"shop-{uuid4()}"}
    impatient = {"socket_timeout": _TIMEOUT_S, "socket_connect_timeout": _TIMEOUT_S, "max_retries": 0}
    celery.conf.update(
        accept_content=["json"],
        task_serializer="json",
        result_serializer="json",
        task_default_queue=QUEUE,
        # The worker waits for work with a blocking read, which must not time out.
        broker_transport_options=private if worker else private | impatient,
        result_backend_transport_options=prefix,
        result_expires=_LIFETIME_S,
        task_track_started=True,
        # A task is off the queue when it is done: what a worker was doing when it died is done by the next one.
        task_acks_late=True,
        worker_prefetch_multiplier=1,
        worker_enable_remote_control=False,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        broker_connection_retry_on_startup=True,
    )
    return celery


def hand_over(celery: Celery, name: str, *args: Any) -> UUID:
    """Puts a task into the queue and gives its id; raises Unavailable at once when Redis can't be reached.

    One that no worker has begun when its outcome would not be kept any more is dropped.
    """
    task_id = uuid4()
    try:
        asked = {"request_id": request_id.get()}
        celery.send_task(name, args, task_id=str(task_id), expires=_LIFETIME_S, retry=False, headers=asked)
    except OperationalError:
        raise Unavailable("task queue") from None
    return task_id


def make_worker(settings: Settings) -> Celery:
    """Celery with the tasks, and a database connection for them."""
    celery = make_celery(settings, worker=True)
    alone = {"pool_size": 1, "pool_pre_ping": True}
    engine = create_engine(sqlalchemy_url(settings.database_url), **engine_options(settings) | alone)
    sessions = sessionmaker(engine)

    @celery.task(name=PING)  # type: ignore[untyped-decorator]  # celery has no types
    def ping() -> dict[str, Any]:
        """Whether a worker answers."""
        return {"message": "pong"}

    @celery.task(name=REPORT)  # type: ignore[untyped-decorator]
    def report(kind: str, user_id: int | None) -> dict[str, Any]:
        """A report of a kind, on one user's orders or on everybody's."""
        with sessions.begin() as session:
            session.execute(statements.forget_tasks(now() - reports.LIFETIME))
            return write_report(session, kind, user_id)

    return celery


def write_report(session: Session, kind: str, user_id: int | None) -> dict[str, Any]:
    """The figures of a report; raises KeyError for an unknown kind."""
    writers = {
        "sales": lambda: reports.sales(session.execute(statements.sales(user_id)).tuples()),
        "stock": lambda: reports.stock(*session.execute(statements.STOCK).tuples().one()),
    }
    return writers[kind]()


def disconnect(celery: Celery) -> None:
    """Closes the connections of the queue."""
    celery.pool.force_close_all()


def queue_key(namespace: str) -> str:
    """The Redis list in which tasks wait."""
    return f"{_prefix(namespace)}{QUEUE}"


def count_waiting(pipeline: Any, namespace: str) -> Any:
    """Counts the tasks that wait. An unused queue expires when its tasks do."""
    key = queue_key(namespace)
    return pipeline.expire(key, _LIFETIME_S).llen(key)


def outcome_key(namespace: str, task_id: UUID) -> str:
    """Where Celery's worker stores the outcome of a task."""
    return f"{_prefix(namespace)}celery-task-meta-{task_id}"


def celery_url(redis_url: str) -> str:
    """The same URL as Celery wants it: a Unix socket has another scheme there, and its database another name."""
    parts = urlsplit(redis_url)
    if parts.scheme != "unix":
        return redis_url
    database = parse_qs(parts.query).get("db", ["0"])[0]
    return f"redis+socket://{parts.netloc}{parts.path}?virtual_host={database}"


def _prefix(namespace: str) -> str:
    return f"{namespace}:"

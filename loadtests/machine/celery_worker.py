"""A Celery worker for a server: started with it, ended with it."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import redis

from loadtests.machine.processes import Program, await_ready, running
from shared.ops import tasks
from shared.ops.settings import Settings, settings_from

# One task at a time, in the worker's own process; alone, so that it looks for no other workers.
WORKER = (
    *("-m", "celery", "--quiet", "-A", "shared.worker", "worker", "--pool", "solo", "--concurrency", "1"),
    *("--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "warning"),
)


@contextmanager
def celery_worker(environment: Mapping[str, str]) -> Iterator[int]:
    """A worker for the shop of these environment variables (added to this process's); gives its process id.

    Ready when it has done a task; raises ServerError if it never does. When the block is left, it first finishes its
    current task, for processes.STOP_S at most.
    """
    settings = settings_from({**os.environ, **environment})
    program = Program("the worker", (sys.executable, *WORKER), variables=environment)
    with running(program) as child, redis.Redis.from_url(settings.redis_url) as client:
        outcome = _key_of_first_outcome(settings)
        await_ready({child: lambda: client.get(outcome) is not None})
        yield child.pid


def _key_of_first_outcome(settings: Settings) -> str:
    celery = tasks.make_celery(settings)
    task_id = tasks.hand_over(celery, tasks.PING)
    tasks.disconnect(celery)
    return tasks.outcome_key(settings.namespace, task_id)

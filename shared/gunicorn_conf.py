"""Hooks for gunicorn, any worker class: `gunicorn -c python:shared.gunicorn_conf ...`.

Flask's workers drain without it unless gunicorn preloads the app; its `asgi` workers need it.
"""

from typing import Any

from shared.ops.draining import take_over, take_over_loop
from shared.ops.settings import settings_from


def post_worker_init(worker: Any) -> None:
    """Before a worker serves: have it drain on SIGTERM."""
    drain_s = settings_from().drain_s or 0
    if hasattr(worker, "handle_exit_signal"):
        take_over_loop(worker.loop, worker.handle_exit_signal, drain_s)
    else:
        take_over(drain_s)

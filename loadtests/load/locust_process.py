"""The Locust side of a round: `python -m locust -f loadtests/load/locust_process.py --headless --assignment FILE`.

Locust provides the users, the load generator says when they load which server. One line per finished slice goes to
stdout; the frames go to the assignment's folder. It runs in a process of its own, since Locust patches it.
"""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import gevent
from locust import User, constant, events, task
from locust.env import Environment

from loadtests.load.generator import LoadGenerator
from loadtests.load.protocol import SliceDone, from_json, save, to_line
from loadtests.load.scheduling import request_prompt_wakeups
from loadtests.load.user_pool import UserPool

POLL_S = 0.01
hooks: Any = events  # untyped in Locust
pool = UserPool()


class PooledUser(User):
    """A Locust user that does the jobs of the pool."""

    wait_time = constant(0)

    @task
    def work(self) -> None:
        """Drive one connection through the load of one slice."""
        pool.work()


def add_arguments(parser: ArgumentParser) -> None:
    """Take the assignment's file from the command line."""
    parser.add_argument("--assignment", help="JSON file that describes the round")


def begin(environment: Environment, **_: Any) -> None:
    """Drive the round in a greenlet of its own; the users wait for its jobs."""
    gevent.spawn(drive_round, environment)


def drive_round(environment: Environment) -> None:
    """Drive the round, write its frames, and end Locust; with status 1 if the round could not be driven."""
    environment.process_exit_code = 1
    try:
        request_prompt_wakeups()
        file = Path(vars(environment.parsed_options)["assignment"])
        while not file.exists():  # the servers are still starting
            gevent.sleep(POLL_S)
        assignment = from_json(file.read_text(encoding="utf-8"))
        measurement = LoadGenerator(assignment, pool).run(print_progress)
        save(measurement, Path(assignment.folder))
        environment.process_exit_code = 0
    finally:
        if environment.runner:
            environment.runner.quit()


def print_progress(progress: SliceDone) -> None:
    """One line on stdout."""
    sys.stdout.write(to_line(progress))
    sys.stdout.flush()


hooks.init_command_line_parser.add_listener(add_arguments)
hooks.test_start.add_listener(begin)

"""Locust users on three HTTP clients, as fast as they can, for `wirespeed`: `locust -f wirespeed_users.py KIND ...`.

Prints one JSON object: how many requests were answered, in how many seconds, of wall time and of this process's CPU.
"""

import json
import sys
from dataclasses import dataclass
from time import perf_counter, process_time
from typing import Any
from urllib.parse import urlsplit

import gevent
from locust import FastHttpUser, HttpUser, User, events, task
from locust.env import Environment

from loadtests.load.connection import Connection

PATH = "/api/probe/ping"
WARMUP_S = 0.3
SLICE_S = 1.0


@dataclass(slots=True)
class Tally:
    """The requests answered with 200 so far."""

    answered: int = 0

    def count(self, status: int) -> None:
        """Count one answer; called once it is in, since others count meanwhile."""
        self.answered += status == 200


tally = Tally()

hooks: Any = events  # Locust leaves them untyped


class RequestsUser(HttpUser):
    """Locust's user on `requests`."""

    @task
    def send(self) -> None:
        """Send requests without end."""
        while True:
            tally.count(self.client.get(PATH).status_code)


class GeventHttpUser(FastHttpUser):
    """Locust's user on `geventhttpclient`."""

    @task
    def send(self) -> None:
        """Send requests without end."""
        while True:
            tally.count(self.client.get(PATH).status_code)


class WireUser(User):
    """A Locust user on this suite's connection."""

    @task
    def send(self) -> None:
        """Send requests without end."""
        address = urlsplit(self.environment.host)
        connection = Connection(str(address.hostname), int(address.port or 80))
        wire = f"GET {PATH} HTTP/1.1\r\nHost: sidebyside\r\n\r\n".encode()
        while True:
            tally.count(connection.request(wire).status)


def begin(environment: Environment, **_: Any) -> None:
    """Measure in a greenlet of its own."""
    gevent.spawn(measure, environment)


def measure(environment: Environment) -> None:
    """Count the answers of one slice, print them, and end Locust."""
    gevent.sleep(WARMUP_S)
    answered, wall_s, cpu_s = tally.answered, perf_counter(), process_time()
    gevent.sleep(SLICE_S)
    wall_s, cpu_s = perf_counter() - wall_s, process_time() - cpu_s
    sys.stdout.write(
        json.dumps({"answered": tally.answered - answered, "wall_s": wall_s, "cpu_s": cpu_s}) + "\n"
    )
    environment.process_exit_code = 0
    if environment.runner:
        environment.runner.quit()


hooks.test_start.add_listener(begin)

"""The load of one slice on one server, driven by several users at once, in closed or in open loop."""

from collections.abc import Collection, Sequence
from itertools import count
from math import inf
from time import monotonic_ns, time_ns

import gevent

from loadtests.load.connection import Connection
from loadtests.load.recording import Kept, Row
from loadtests.load.requests import Prepared
from loadtests.samples.store import Failure

# For requests that need a number of their own; from the clock, since databases may outlive this process.
SERIALS = count(time_ns() // 1000)
FAILURE_PAUSE_S = 0.005  # after a failure, so that a dead server is not called in a tight loop


class Loop:
    """Sends the prepared requests in turn, from number `first` on; `rows` gets one row per request.

    kept: places in the turn whose answers are kept, in `answers`.
    """

    def __init__(self, requests: Sequence[Prepared], first: int, kept: Collection[int] = ()) -> None:
        self.rows: list[Row] = []
        self.answers: list[Kept] = []
        self.begun = 0
        self._first = first
        self._kept = frozenset(kept)
        self._wires = [request.wire for request in requests]
        self._numbered = {variant: request for variant, request in enumerate(requests) if request.serials}

    def begin(self, now_ns: int) -> None:
        """Set the clock: the load starts now."""
        raise NotImplementedError

    def drive(self, connection: Connection) -> None:
        """Send requests over one user's connection until the load is over and its last answer is in."""
        raise NotImplementedError

    def _send(self, connection: Connection, due_ns: int) -> None:
        """Send the next request; due_ns 0: it is due when it is sent."""
        place = self.begun
        variant, keep_body = (self._first + place) % len(self._wires), place in self._kept
        self.begun += 1
        numbered = self._numbered.get(variant)
        wire = numbered.numbered(next(SERIALS)) if numbered else self._wires[variant]
        sent_ns = monotonic_ns()
        failure, status, size, body_size, _, body = connection.request(wire, keep_body)
        end_ns = monotonic_ns()
        self.rows.append(Row(due_ns or sent_ns, sent_ns, end_ns, status, size, body_size, variant, failure))
        if body is not None:
            self.answers.append(Kept(place, len(self.rows) - 1, body))
        if failure:
            gevent.sleep(FAILURE_PAUSE_S)


class ClosedLoop(Loop):
    """Every user sends the next request as soon as it has an answer.

    None begins after `most_requests` have begun, nor after `duration_ns`, whichever comes first.
    """

    def __init__(
        self,
        requests: Sequence[Prepared],
        first: int,
        duration_ns: int,
        most_requests: int | None = None,
        kept: Collection[int] = (),
    ) -> None:
        super().__init__(requests, first, kept)
        self._duration_ns = duration_ns
        self._most_requests = inf if most_requests is None else most_requests
        self._stop_ns = 0

    def begin(self, now_ns: int) -> None:
        """Set the clock: the load starts now."""
        self._stop_ns = now_ns + self._duration_ns

    def drive(self, connection: Connection) -> None:
        """Send requests over one user's connection until the load is over and its last answer is in."""
        while self.begun < self._most_requests and monotonic_ns() < self._stop_ns:
            self._send(connection, due_ns=0)


class OpenLoop(Loop):
    """Requests fall due at given times after the start, whether or not earlier ones are answered.

    A free user takes the next arrival and waits until it is due. When no user is free, the request is sent late; one
    not sent `patience_ns` after the last arrival is recorded as timed out.
    """

    def __init__(
        self,
        requests: Sequence[Prepared],
        first: int,
        arrivals_ns: Sequence[int],
        patience_ns: int,
        kept: Collection[int] = (),
    ) -> None:
        super().__init__(requests, first, kept)
        self._arrivals_ns = arrivals_ns
        self._patience_ns = patience_ns
        self._taken = 0
        self._start_ns = self._give_up_ns = 0

    def begin(self, now_ns: int) -> None:
        """Set the clock: the load starts now."""
        self._start_ns = now_ns
        self._give_up_ns = now_ns + max(self._arrivals_ns, default=0) + self._patience_ns

    def drive(self, connection: Connection) -> None:
        """Send requests over one user's connection until the load is over and its last answer is in."""
        while self._taken < len(self._arrivals_ns):
            due_ns = self._start_ns + self._arrivals_ns[self._taken]
            self._taken += 1
            if monotonic_ns() > self._give_up_ns:
                self._give_up(due_ns)
            else:
                sleep_until(due_ns)
                self._send(connection, due_ns)

    def _give_up(self, due_ns: int) -> None:
        now_ns = monotonic_ns()
        variant = (self._first + self._taken) % len(self._wires)
        self.rows.append(Row(due_ns, now_ns, now_ns, 0, 0, 0, variant, Failure.TIMEOUT))


def sleep_until(due_ns: int) -> None:
    """Let others run until that time of CLOCK_MONOTONIC; return at once when it has passed."""
    while (left_ns := due_ns - monotonic_ns()) > 0:
        gevent.sleep(left_ns / 1e9)

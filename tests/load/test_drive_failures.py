"""Rounds in which something fails: servers that die or hang, wrong answers, a generator that ends."""

import os
import signal
from dataclasses import replace

import pytest

from loadtests.errors import LoadError
from loadtests.load.protocol import SliceDone
from loadtests.machine.servers import Endpoint
from loadtests.samples.store import Failure
from tests.support.driving import ASGI, PING, WSGI, driven, piece


def test_a_server_that_dies_gives_failures_and_the_other_goes_on() -> None:
    def kill(progress: SliceDone, endpoints: dict[str, Endpoint]) -> None:
        if progress.slice == 0:
            os.kill(endpoints[ASGI].pid, signal.SIGKILL)

    slices = [piece(0, ASGI, duration_s=0.05), piece(1, WSGI, duration_s=0.3)]
    slices += [piece(2, ASGI), piece(3, ASGI, "open"), piece(4, WSGI)]
    dead = driven(slices, on_slice=kill, dies=True).measurement
    kinds = {index: set(frame["failure"]) for (index,), frame in dead.requests.group_by("slice")}

    assert kinds[0] == kinds[1] == kinds[4] == {Failure.NONE}
    assert kinds[2] == kinds[3] == {Failure.CONNECT}
    assert dead.slices["server_requests"].is_null().to_list() == [False, False, True, True, False]
    assert dead.slices["server_cpu_ns"].is_null().to_list() == [False, False, True, True, False]


def test_a_server_that_hangs_gives_timeouts_and_the_round_ends() -> None:
    def hold(progress: SliceDone, endpoints: dict[str, Endpoint]) -> None:
        if progress.slice in {0, 3}:
            os.kill(endpoints[ASGI].pid, signal.SIGSTOP if progress.slice == 0 else signal.SIGCONT)

    slices = [
        piece(0, ASGI, duration_s=0.05),
        piece(1, WSGI, duration_s=0.3),
        piece(2, ASGI),
        piece(3, ASGI, "open"),
    ]
    hung = driven(slices, on_slice=hold, timeout_s=0.3).measurement
    kinds = {index: set(frame["failure"]) for (index,), frame in hung.requests.group_by("slice")}

    assert kinds[2] == kinds[3] == {Failure.TIMEOUT}
    assert kinds[1] == {Failure.NONE}


def test_a_wrong_status_and_a_wrong_body_are_failures() -> None:
    ping = PING.requests[0]
    wrong_status = replace(PING, name="wrong-status", requests=(replace(ping, status=201),))
    wrong_keys = replace(PING, name="wrong-keys", requests=(replace(ping, keys=("massage",)),))
    slices = [piece(0, ASGI, scenario=wrong_status), piece(1, ASGI, scenario=wrong_keys)]

    requests = driven(slices, scenarios=[wrong_status, wrong_keys]).measurement.requests
    kinds = {index: set(frame["failure"]) for (index,), frame in requests.group_by("slice")}

    assert kinds[0] == {Failure.STATUS}
    assert Failure.BODY in kinds[1]


def test_a_round_that_takes_too_long_is_given_up() -> None:
    with pytest.raises(LoadError, match="not driven within 1 s"):
        driven([piece(0, ASGI, duration_s=60)], deadline_s=1)


def test_who_watches_may_stop_the_round() -> None:
    def refuse(progress: SliceDone, _: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        driven([piece(0, ASGI, duration_s=0.05), piece(1, ASGI, duration_s=60)], on_slice=refuse)


def test_a_load_process_that_fails_is_told_with_its_last_words() -> None:
    stranger = replace(PING, name="stranger")

    with pytest.raises(LoadError, match=r"ended with status 1; it said: .*ping"):
        driven([piece(0, ASGI)], scenarios=[stranger])

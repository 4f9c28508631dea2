"""The gates on servers that are really broken, each in one way, beside a sound one under the same load."""

import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from loadtests.analysis.digest import digest
from loadtests.analysis.gates import inspect
from loadtests.config.contestants import Contestant, load_contestants
from loadtests.config.profiles import Claim
from loadtests.config.scenarios import load_scenarios
from loadtests.config.selection import CATALOG
from loadtests.load.drive import drive
from loadtests.load.protocol import SliceDone
from loadtests.machine.servers import launched
from loadtests.plan.rounds import Mode, Round, Slice
from loadtests.samples.store import RunStore
from tests.support import broken
from tests.support.frames import run_of

PING = load_scenarios(CATALOG)["ping"]
FLOOR = load_contestants(CATALOG)["raw-asgi-uvicorn"]
USERS, RATE_RPS = 4, 400.0
STEADY = {"error_rate", "unfinished", "achieved_rate", "request_count", "bytes", "same_answers", "keep_alive"}
"""The gates that hang on the server alone, not on the machine's mood."""

TRIPPED = {
    broken.SOUND: set(),
    broken.CLOSES: {"keep_alive"},
    broken.COUNTS_TWICE: {"request_count"},
    broken.FORGETS: {"request_count"},
    broken.LONGER: {"bytes"},
    broken.LIES: {"same_answers"},
    broken.LACKS_KEYS: {"error_rate", "achieved_rate", "same_answers"},
    broken.FAILS: {"error_rate", "achieved_rate"},
    broken.DROPS: {"error_rate", "achieved_rate", "unfinished", "keep_alive"},
    broken.TRUNCATES: {"error_rate", "achieved_rate", "unfinished", "keep_alive"},
    broken.HANGS: {"error_rate", "achieved_rate", "unfinished", "keep_alive"},
}
"""Which of them each fault trips. Where an answer fails to come, the connection is lost with it."""


def contestant(fault: str) -> Contestant:
    command = ("{python}", broken.__file__, "{port}", fault)
    return replace(FLOOR, name=fault, title=fault, command=command)


def piece(index: int, fault: str, mode: Mode, duration_s: float) -> Slice:
    rate = RATE_RPS if mode == "open" else None
    return Slice(index, 0, PING.name, fault, mode, duration_s, 0.02, USERS, rate, seed=1)


def failed_gates(
    pieces: Sequence[Slice], folder: Path, on_slice: Callable[[SliceDone], None] = lambda _: None
) -> dict[str, set[str]]:
    """The names of the gates that do not pass, by contestant, after a round of these slices."""
    round_, store = Round(0, tuple(pieces)), RunStore(folder)
    with launched([contestant(fault) for fault in round_.contestants], {}, ()) as endpoints:
        measured = drive(round_, [PING], endpoints, cpus=(), seed=1, timeout_s=2, on_slice=on_slice)
    store.save_round(0, measured)
    known = digest(store.rounds(), steal_limit_percent=100, cpus=len(os.sched_getaffinity(0)))
    run = run_of(*round_.contestants, scenarios=(PING.name,), claims=(Claim("a", "b", "any"),))
    found = inspect(known, run)
    return {
        name: {one.gate for one in found if one.contestant == name and one.ok is False}
        for name in round_.contestants
    }


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """What became of all servers in one round, all of them alive together."""
    turns: list[tuple[Mode, float]] = [("closed", 0.1), ("open", 0.25)]
    order = [(fault, mode, seconds) for mode, seconds in turns for fault in TRIPPED]
    pieces = [piece(index, *one) for index, one in enumerate(order)]
    return failed_gates(pieces, tmp_path_factory.mktemp("round"))


@pytest.mark.parametrize("fault", TRIPPED)
def test_a_fault_trips_its_gates_and_no_other_of_the_steady_ones(
    fault: str, found: dict[str, set[str]]
) -> None:
    assert found[fault] & STEADY == TRIPPED[fault]


def test_a_generator_that_is_held_up_trips_the_send_lag(tmp_path: Path) -> None:
    with held_up() as hold:
        found = failed_gates(
            [piece(0, broken.SOUND, "closed", 0.05), piece(1, broken.SOUND, "open", 2)], tmp_path, hold
        )

    assert "send_lag" in found[broken.SOUND]
    assert found[broken.SOUND] & STEADY == set()


@contextmanager
def held_up() -> Iterator[Callable[[SliceDone], None]]:
    """Gives what, once told of a slice, stops the load process for 30 of every 60 ms until the block is left."""
    over = threading.Event()
    pulses: list[threading.Thread] = []

    def hold(_: SliceDone) -> None:
        if not pulses:
            pulses.append(threading.Thread(target=pulse, args=(load_process(), over)))
            pulses[0].start()

    try:
        yield hold
    finally:
        over.set()
        for thread in pulses:
            thread.join()


def load_process() -> psutil.Process:
    (found,) = [one for one in psutil.Process().children() if "locust" in one.cmdline()]
    return found


def pulse(process: psutil.Process, over: threading.Event) -> None:
    with suppress(psutil.NoSuchProcess):  # it ends with its round
        while not over.is_set():
            process.send_signal(signal.SIGSTOP)
            over.wait(0.03)
            process.send_signal(signal.SIGCONT)
            over.wait(0.03)

"""Drive one round: start Locust in a process of its own, follow its progress, bring back the frames."""

import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from loadtests.config.scenarios import Scenario
from loadtests.errors import LoadError
from loadtests.load.protocol import Assignment, SliceDone, from_line, hand_over, load, to_json
from loadtests.machine.meters import NOTHING_METERED, Metered
from loadtests.machine.processes import Child, Program, running
from loadtests.machine.servers import Endpoint
from loadtests.plan import search_slices
from loadtests.plan.rounds import Round
from loadtests.samples.store import Measurement

TIMEOUT_S = 10.0
START_S = 30.0
SLICE_OVERHEAD_S = 0.5
BACKEND = "select"  # of gevent: it wakes to the microsecond, where epoll rounds up to the millisecond
ASSIGNMENT = "assignment.json"
LOCUST_FILE = Path(__file__).with_name("locust_process.py")


def drive(
    round_: Round,
    scenarios: Sequence[Scenario],
    endpoints: Mapping[str, Endpoint],
    *,
    cpus: Sequence[int],
    seed: int,
    on_slice: Callable[[SliceDone], None] = lambda _: None,
    timeout_s: float = TIMEOUT_S,
    deadline_s: float | None = None,
    metered: Metered = NOTHING_METERED,
) -> Measurement:
    """Load the servers as the round plans, from a process pinned to `cpus`, and return what was measured.

    seed: what the prepared requests are drawn from. timeout_s: how long one request may take. deadline_s: how long
    all may take; None gives a generous one. metered: what is read beside the servers. Raises LoadError when no
    measurement comes out. Whatever happens, the load process has ended on return.
    """
    with load_process(round_, cpus) as process:
        return process.drive(
            scenarios,
            endpoints,
            seed=seed,
            on_slice=on_slice,
            timeout_s=timeout_s,
            deadline_s=deadline_s,
            metered=metered,
        )


@dataclass(frozen=True, slots=True)
class LoadProcess:
    """A process that will drive one round; it starts up meanwhile, and waits for the assignment in its folder."""

    child: Child
    round: Round
    folder: Path

    def drive(
        self,
        scenarios: Sequence[Scenario],
        endpoints: Mapping[str, Endpoint],
        *,
        seed: int,
        on_slice: Callable[[SliceDone], None] = lambda _: None,
        timeout_s: float = TIMEOUT_S,
        deadline_s: float | None = None,
        metered: Metered = NOTHING_METERED,
    ) -> Measurement:
        """As the function of that name, once."""
        folder, servers = str(self.folder), tuple(endpoints.values())
        assignment = Assignment(self.round, tuple(scenarios), servers, seed, timeout_s, folder, metered)
        hand_over(to_json(assignment), self.folder / ASSIGNMENT)
        self._await(on_slice, longest_s(self.round, timeout_s) if deadline_s is None else deadline_s)
        return load(self.folder)

    def _await(self, on_slice: Callable[[SliceDone], None], limit_s: float) -> None:
        """Follow the process to its end; LoadError when it fails or takes longer than the limit."""
        late, child = threading.Event(), self.child
        with _alarm(limit_s, late, child):
            for line in child.process.stdout or ():
                if progress := from_line(line):
                    on_slice(progress)
            status = child.process.wait()
            if late.is_set():
                raise LoadError(f"the round was not driven within {limit_s:.0f} s; choose a smaller profile")
            if status != 0:
                raise LoadError(child.report(child.how_ended()))


@contextmanager
def load_process(round_: Round, cpus: Sequence[int]) -> Iterator[LoadProcess]:
    """A load process while the block lasts: start it before the servers, which take as long to start as it does."""
    with tempfile.TemporaryDirectory(prefix="sidebyside-") as name:
        folder = Path(name)
        with running(_locust(folder / ASSIGNMENT, round_.users, tuple(cpus))) as child:
            yield LoadProcess(child, round_, folder)


def longest_s(round_: Round, timeout_s: float) -> float:
    """How long a round may take before it is given up: load, draining and timeouts, with room to spare."""
    slices = len(round_.slices) + sum(search.most_steps for search in round_.searches)
    load_s = round_.load_s + sum(map(search_slices.longest_s, round_.searches))
    return START_S + 2 * load_s + SLICE_OVERHEAD_S * slices + 6 * timeout_s


def _locust(assignment: Path, users: int, cpus: tuple[int, ...]) -> Program:
    locust = (sys.executable, "-m", "locust", "-f", str(LOCUST_FILE), "--assignment", str(assignment))
    options = ("--headless", "--only-summary", "--skip-log-setup", "-u", str(users), "-r", str(users))
    return Program(
        "the load generator",
        (*locust, *options),
        cpus,
        variables={"GEVENT_BACKEND": BACKEND},
        prints=True,
        stop=signal.SIGKILL,
    )


@contextmanager
def _alarm(limit_s: float, late: threading.Event, child: Child) -> Iterator[None]:
    """Kill the process, and set `late`, if the block takes longer than the limit."""

    def ring() -> None:
        late.set()
        child.send(signal.SIGKILL)

    timer = threading.Timer(limit_s, ring)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()

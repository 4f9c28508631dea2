"""What the observer writes and the harness reads: the garbage collections of any Python process."""

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from loadtests.config.contestants import load_contestants
from loadtests.config.selection import CATALOG
from loadtests.machine import garbage
from loadtests.machine.garbage import OBSERVER, Collections, take
from loadtests.machine.observer import sitecustomize as observer
from loadtests.machine.servers import Endpoint, launched
from loadtests.reference import collector
from shared.ops import count_file
from shared.ops.telemetry import RequestCounter

ROOT = Path(__file__).parents[2]
COLLECT = "import gc; gc.disable(); gc.collect(); "  # else the process collects once more when it ends
NOTHING = Collections(0, 0, 0, 0, 0, 0, 0, 0)


@pytest.fixture
def file(tmp_path: Path) -> str:
    (tmp_path / "counts").touch()
    return str(tmp_path / "counts")


def run(code: str, file: str | None, *path: Path) -> str:
    """What a Python process prints that is observed, with more folders on its path; it fails when the process does."""
    variables = {"PYTHONPATH": os.pathsep.join(map(str, (OBSERVER, *path)))}
    if file is not None:
        variables["REQUEST_COUNT_FILE"] = file
    ended = subprocess.run(
        [sys.executable, "-c", code], env=variables, capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    return ended.stdout


def counts(seen: Collections | None) -> tuple[int, int, int]:
    assert seen is not None
    return seen.gen0_count, seen.gen1_count, seen.gen2_count


def test_both_sides_know_the_same_layout() -> None:
    assert observer.SLOT_BYTES == count_file.SLOT_BYTES
    assert observer.VALUES == count_file.VALUES
    assert observer.COLLECTIONS == count_file.COLLECTIONS
    assert observer.INCOMPLETE_COLLECTIONS == count_file.INCOMPLETE_COLLECTIONS
    names = list(Collections.__slots__)
    assert names[observer.CPU_NS - observer.VALUES] == "gen2_cpu_ns"
    assert names[observer.LONGEST_NS - observer.VALUES] == "gen2_longest_ns"
    assert (observer.ASKED, observer.SETTLING, observer.WHOLE) == (
        garbage.ASKED,
        garbage.SETTLING,
        garbage.WHOLE,
    )


def test_each_generation_is_counted_and_timed_by_itself(file: str) -> None:
    printed = run(
        "import gc, json, os\n"
        "from dataclasses import asdict\n"
        "from loadtests.machine.garbage import take\n"
        "gc.disable()\n"
        "file = os.environ['REQUEST_COUNT_FILE']\n"
        "before, heap = take(file), [[] for _ in range(50_000)]\n"
        "for generation in (0, 0, 0, 1, 1, 2): gc.collect(generation)\n"
        "print(json.dumps(asdict(take(file).since(before))))",
        file,
    )

    seen = Collections(**json.loads(printed))
    assert counts(seen) == (3, 2, 1)
    assert min(seen.gen0_ns, seen.gen1_ns) > 0
    assert seen.gen2_cpu_ns > 0
    assert seen.gen2_ns == seen.gen2_longest_ns > 0


def test_a_reading_forgets_the_longest_alone(file: str) -> None:
    run(COLLECT + "gc.collect()", file)

    first, second = take(file), take(file)

    assert first
    assert second
    assert 0 < first.gen2_longest_ns < first.gen2_ns
    assert second == replace(first, gen2_longest_ns=0)
    assert second.since(first) == NOTHING


FORK = """
import gc, os
gc.disable()
gc.collect()
child = os.fork()
gc.collect()
if child:
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
"""


def test_a_child_counts_for_itself_and_what_ended_processes_counted_stays(file: str) -> None:
    run(COLLECT, file)
    before = take(file)
    run(FORK, file)
    after = take(file)

    assert before
    assert after
    assert after.since(before).gen2_count == 3
    rows = list(count_file.slots(Path(file).read_bytes()))
    assert [row[6] for row in rows] == [1, 2, 1]
    assert len({row[1] for row in rows}) == 3  # a process each


def test_requests_and_collections_share_the_file(file: str) -> None:
    counter = RequestCounter(file)
    run(COLLECT, file)
    counter.add()

    assert counter.value == 1
    assert count_file.request_counts(file) == [1]
    assert counts(take(file))[2] == 1


def test_who_keeps_no_slot_can_tell_nothing(file: str) -> None:
    RequestCounter(file).add()

    assert take(file) is None


def test_when_a_child_cannot_count_the_sum_is_not_known(file: str, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.hardlink_to(file)
    run(f"import os; os.unlink({file!r})" + FORK, file)

    assert take(str(kept)) is None


@pytest.mark.parametrize("missing", [None, "", "/nowhere/counts"])
def test_without_a_file_nothing_is_observed(missing: str | None) -> None:
    assert run("import gc; gc.collect(); print(gc.callbacks)", missing) == "[]\n"


def test_the_sitecustomize_that_it_hides_is_imported_and_found_by_name(file: str, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import gc; SEEN = len(gc.callbacks)")

    printed = run(
        "import sitecustomize, sys; print(sitecustomize.SEEN, *sys.path, sep='\\n')", file, tmp_path
    ).splitlines()

    assert printed[0] == "1"
    assert str(tmp_path) in printed
    assert str(OBSERVER) not in printed


def test_a_server_keeps_the_python_path_that_it_was_given(tmp_path: Path) -> None:
    (tmp_path / "its_own.py").write_text("from loadtests.reference.bare_asgi import app as app")
    known = load_contestants(CATALOG)["raw-asgi-uvicorn"]
    own = replace(
        known, command=(*known.command[:-1], "its_own:app"), environment={"PYTHONPATH": str(tmp_path)}
    )

    with launched([own], {}, ()) as endpoints:
        assert take(endpoints[own.name].count_file)


@pytest.fixture(scope="module", params=["raw-asgi-uvicorn", "raw-wsgi-gthread"])
def collecting(request: pytest.FixtureRequest) -> Iterator[Endpoint]:
    """A server that collects on purpose with every request."""
    one = load_contestants(CATALOG)[request.param]
    target = f"loadtests.reference.collecting_{one.gateway}:app"
    environment = {collector.APP: one.command[-1], collector.EVERY: "1", collector.OBJECTS: "50000"}
    one = replace(one, command=(*one.command[:-1], target), environment=environment)
    with launched([one], {}, ()) as endpoints:
        yield endpoints[one.name]


def ask(endpoint: Endpoint, path: str) -> bytes:
    with urllib.request.urlopen(f"http://{endpoint.host}:{endpoint.port}{path}") as answer:
        body: bytes = answer.read()
        return body


def test_times_are_those_that_the_server_itself_measures(collecting: Endpoint) -> None:
    before, own_before = take(collecting.count_file), json.loads(ask(collecting, collector.STAMPS))
    for _ in range(20):
        ask(collecting, "/api/probe/ping")
    after, own_after = take(collecting.count_file), json.loads(ask(collecting, collector.STAMPS))

    assert before
    assert after
    seen = after.since(before)
    own = {name: own_after[name] - own_before[name] for name in ("collections", "wall_ns", "cpu_ns")}
    assert seen.gen2_count == own["collections"] == 20
    assert 0.7 * own["cpu_ns"] < seen.gen2_cpu_ns < own["cpu_ns"]  # its clock runs around ours
    assert seen.gen2_cpu_ns / 1.1 < seen.gen2_ns < own["wall_ns"]  # the clocks themselves differ a little
    assert seen.gen2_ns / 20 <= seen.gen2_longest_ns < seen.gen2_ns


SETTLED = """
import gc
gc.set_threshold(YOUNG, 10, 10)
from loadtests.machine.garbage import ask_to_settle, is_settling, take

def full():
    return take(FILE).gen2_count

def add_until_full():
    before, added, kept = full(), 0, []
    while full() == before:
        kept.append([[] for _ in range(1000)])
        added += 1001
    return added

heap = [[] for _ in range(HEAP)]
for share in (0.9, SHARE):
    ask_to_settle(FILE, share)
    add_until_full()
    while is_settling(FILE):
        pass
print(add_until_full() / max(len(gc.get_objects()) / 4, 11 * 11 * (YOUNG + 1)))
"""


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="collects by small steps")
@pytest.mark.parametrize(("heap", "young"), [(1_000_000, 700), (200_000, 2000)], ids=["quarter", "times"])
@pytest.mark.parametrize("share", [0.2, 0.6])
def test_a_settled_process_is_that_share_of_the_way_to_its_next_full_collection(
    file: str, share: float, heap: int, young: int
) -> None:
    """A full collection waits for a quarter of a large heap, for its number of young ones with a small heap.

    Asked again, the process begins anew.
    """
    code = SETTLED.replace("FILE", repr(file)).replace("SHARE", str(share))
    rest = float(run(code.replace("HEAP", str(heap)).replace("YOUNG", str(young)), file, ROOT))

    assert rest == pytest.approx(1 - share, abs=0.12)


def test_settling_waits_for_the_end_of_the_collection_that_began_it(file: str) -> None:
    """CPython passes over a full collection that a thread asks for while another is in a callback of its own."""
    code = """
import gc
from loadtests.machine.garbage import ask_to_settle, is_settling, take

def let_others_run(phase, info):
    for _ in range(1000):
        is_settling(FILE)

gc.disable()
gc.callbacks.append(let_others_run)
ask_to_settle(FILE, 0.5)
gc.collect(0)
gc.callbacks.remove(let_others_run)
while is_settling(FILE):
    pass
print(take(FILE).gen2_count)
"""
    assert run(code.replace("FILE", repr(file)), file, ROOT).strip() == "1"


def test_a_wish_that_is_taken_back_is_not_fulfilled(file: str) -> None:
    code = """
import gc
from loadtests.machine.garbage import ask_to_settle, take
gc.disable()
ask_to_settle(FILE, 0.5)
ask_to_settle(FILE, 0)
gc.collect(0)
print(take(FILE).gen2_count)
"""
    assert run(code.replace("FILE", repr(file)), file, ROOT).strip() == "0"

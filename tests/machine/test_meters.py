import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from loadtests.machine.meters import ProcessTree, steal_ms

BURN = """
import sys, time
for line in sys.stdin:
    end = time.process_time() + float(line)
    while time.process_time() < end: pass
    print("burnt", flush=True)
"""
BURN_IN_CHILD = f"""
import subprocess, sys
with subprocess.Popen([sys.executable, "-c", {BURN!r}]) as child: pass
"""


@contextmanager
def burner(code: str = BURN) -> Iterator[subprocess.Popen[str]]:
    """A process that burns as many seconds of CPU time as each line of its input says."""
    argv = [sys.executable, "-c", code]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        burn(process, 0)
        yield process


def burn(process: subprocess.Popen[str], seconds: float) -> None:
    assert process.stdin
    assert process.stdout
    process.stdin.write(f"{seconds}\n")
    process.stdin.flush()
    assert process.stdout.readline() == "burnt\n"


@pytest.mark.parametrize("code", [BURN, BURN_IN_CHILD], ids=["itself", "its child"])
def test_cpu_time_of_a_tree_is_what_it_burnt(code: str) -> None:
    with burner(code) as process:
        tree = ProcessTree(process.pid)
        before = tree.cpu_ns()
        burn(process, 0.15)
        after = tree.cpu_ns()

    assert before is not None
    assert after is not None
    assert (after - before) / 1e9 == pytest.approx(0.15, abs=0.02)


def test_an_idle_process_burns_next_to_nothing() -> None:
    with burner() as process:
        tree = ProcessTree(process.pid)
        before = tree.cpu_ns()
        burn(process, 0)
        after = tree.cpu_ns()

    assert before is not None
    assert after is not None
    assert 0 < after - before < 5_000_000


def test_all_threads_of_a_process_count() -> None:
    before, own = ProcessTree(os.getpid()).cpu_ns(), time.process_time_ns()
    sum(range(200_000))
    after, own_after = ProcessTree(os.getpid()).cpu_ns(), time.process_time_ns()

    assert before is not None
    assert after is not None
    assert after - before == pytest.approx(own_after - own, rel=0.5)


def test_a_tree_holds_the_descendants() -> None:
    with burner(BURN_IN_CHILD) as process:
        assert len(ProcessTree(process.pid).pids) == 2


def test_a_larger_process_has_a_larger_pss() -> None:
    with burner() as small, burner("ballast = b'x' * 30_000_000\n" + BURN) as large:
        smaller, larger = ProcessTree(small.pid).pss_kib(), ProcessTree(large.pid).pss_kib()

    assert smaller is not None
    assert larger is not None
    assert smaller > 1000
    assert larger - smaller == pytest.approx(30_000_000 / 1024, rel=0.1)


def test_a_process_that_is_gone_is_not_measured() -> None:
    with burner() as process:
        tree = ProcessTree(process.pid)

    assert (tree.cpu_ns(), tree.pss_kib()) == (None, None)


def test_a_process_that_has_ended_but_is_not_reaped_is_not_measured() -> None:
    with burner() as process:
        tree = ProcessTree(process.pid)
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)

        assert (tree.cpu_ns(), tree.pss_kib()) == (None, None)


def test_stolen_time_never_runs_backwards() -> None:
    first, second = steal_ms(), steal_ms()

    assert 0 <= first <= second

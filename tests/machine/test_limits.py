"""How many files may be open, tried out in processes of their own."""

import resource
import subprocess
import sys

import pytest

from loadtests.machine.limits import listen_backlog, raise_open_files

LIMITED = """
import resource
from loadtests.machine.limits import raise_open_files
resource.setrlimit(resource.RLIMIT_NOFILE, (100, {hard}))
print(raise_open_files({wanted}), *resource.getrlimit(resource.RLIMIT_NOFILE))
"""


def limited(hard: int, wanted: int) -> list[int]:
    """What is given to a process that may have 100 files open and raise that to `hard`; then its limits."""
    program = LIMITED.format(hard=hard, wanted=wanted)
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    return [int(word) for word in ended.stdout.split()]


def test_a_limit_that_is_too_low_is_raised() -> None:
    assert limited(hard=400, wanted=300) == [300, 300, 400]


def test_one_that_is_high_enough_is_left_alone() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)

    assert raise_open_files(10) == 10
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == before


def test_beyond_the_hard_limit_root_alone_may_go() -> None:
    given, soft, _ = limited(hard=400, wanted=500)

    assert given == soft
    assert given in {400, 500}


@pytest.mark.parametrize("wanted", [1, 10**9])
def test_a_backlog_is_no_longer_than_the_kernel_allows(wanted: int) -> None:
    assert 1 <= listen_backlog(wanted) <= wanted
    assert listen_backlog(10**9) < 10**9

"""Which checks are run, for how long, and what is refused."""

from pathlib import Path

import pytest

from loadtests.errors import SuiteError
from loadtests.selftest import run as run_module
from loadtests.selftest.setting import repeats
from tests.support.command import run_here


def test_repeats_go_on_while_another_fits() -> None:
    endless = repeats(60.0)

    assert list(repeats(0.0)) == [0]
    assert [next(endless) for _ in range(3)] == [0, 1, 2]


def test_the_budget_is_shared_after_the_fixed_checks() -> None:
    seconds = run_module.shares(tuple(run_module.CHECKS), 1000.0)

    assert sum(seconds.values()) == pytest.approx(
        1000 - sum(one.takes_s for one in run_module.CHECKS.values())
    )
    assert seconds["injection"] > seconds["itself"] > 0
    assert run_module.shares(("itself",), 100.0) == {"itself": 100.0}


@pytest.mark.parametrize(
    ("only", "told"),
    [(("nope",), "there is no check 'nope'"), (("coverage",), "name both")],
)
def test_checks_that_cannot_be_run_are_refused(only: tuple[str, ...], told: str) -> None:
    with pytest.raises(SuiteError, match=told):
        run_module.chosen(only)


def test_bad_input_is_one_line_and_nothing_is_begun(tmp_path: Path) -> None:
    ended = run_here("selftest", "--only", "nope", "--results-dir", str(tmp_path / "results"))

    assert ended.returncode == 2
    assert "there is no check 'nope'" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
    assert not (tmp_path / "results").exists()

"""The record of a bench run: in a folder that is always a fresh one, and what is in it comes back."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from loadtests.analysis.digest import merge
from loadtests.bench.record import load_run, new_run
from loadtests.bench.run import info_of
from loadtests.config.selection import Options
from loadtests.errors import SuiteError
from loadtests.runs.folder import FILE
from loadtests.runs.record import save_record


@pytest.fixture
def options(tmp_path: Path) -> Options:
    return Options(scenarios=("ping", "shop"), budget_s=60.0, seed=5, results_dir=str(tmp_path / "results"))


def test_a_new_run_has_a_folder_named_for_its_time_and_profile(options: Options) -> None:
    run, folder = new_run(options)

    began = datetime.strptime(run.id, "%Y%m%d-%H%M%S-quick").replace(tzinfo=UTC)
    assert folder == Path(options.results_dir, run.id)
    assert abs((datetime.fromisoformat(run.started_at) - began).total_seconds()) < 2
    assert (run.status, run.finished_at, dict(run.rates)) == ("partial", None, {})


def test_every_run_has_a_folder_of_its_own(options: Options) -> None:
    folders = [new_run(options)[1] for _ in range(5)]

    assert len(set(folders)) == 5
    assert all(load_run(folder).id == folder.name for folder in folders)


def test_a_run_comes_back_as_it_was_saved(options: Options) -> None:
    run, folder = new_run(options)
    later = replace(run, status="complete", elapsed_s=3.5, rates={"ping": 800.0}, machine={"cpu": "two"})

    save_record(later, folder)

    assert load_run(folder) == later
    assert load_run(folder).options == options


def test_a_report_knows_which_scenarios_wait(options: Options) -> None:
    run, _ = new_run(replace(options, scenarios=("ping", "sleep-50ms")))

    assert info_of(run, merge([])).waiting == ("sleep-50ms",)


def test_a_run_of_version_0_2_is_read_without_what_its_profile_says_of_blocks(options: Options) -> None:
    run, folder = new_run(options)
    document = json.loads((folder / FILE).read_text(encoding="utf-8"))
    document["plan"]["profile"] |= {"closed_blocks": 2, "open_blocks": 1}
    (folder / FILE).write_text(json.dumps(document), encoding="utf-8")

    assert load_run(folder) == run


def test_a_saved_run_leaves_one_file(options: Options) -> None:
    _, folder = new_run(options)

    assert [path.name for path in folder.iterdir()] == [FILE]


@pytest.mark.parametrize("below", ["", "deeper"])
def test_a_file_where_the_results_should_be_is_told_in_one_line(tmp_path: Path, below: str) -> None:
    (tmp_path / "results").write_text("in the way")

    with pytest.raises(
        SuiteError, match=r"nothing can be written there .* choose another --results-dir"
    ) as one:
        new_run(Options(results_dir=str(tmp_path / "results" / below)))

    assert "\n" not in str(one.value)


@pytest.mark.parametrize(
    "text",
    [None, "", "{", "[]", "1", "{}", '{"wishes": {}}', '{"wishes": []}', '{"wishes": {"colour": "red"}}'],
)
def test_a_folder_without_a_readable_run_is_told_in_one_line(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / FILE).write_text(text)

    with pytest.raises(SuiteError, match="holds no run that can be read; give a folder below") as caught:
        load_run(tmp_path)

    assert "\n" not in str(caught.value)


def test_a_run_with_keys_that_are_not_known_is_not_read(options: Options) -> None:
    _, folder = new_run(options)
    document = json.loads((folder / FILE).read_text())

    (folder / FILE).write_text(json.dumps({**document, "colour": "red"}))

    with pytest.raises(SuiteError, match="holds no run that can be read"):
        load_run(folder)

"""Samples on disk: what was saved comes back, and only whole rounds count."""

from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from loadtests.errors import SuiteError
from loadtests.samples.store import SCHEMAS, SLICES, Measurement, RunStore, conform
from tests.support.frames import A, B, both_loops, samples_of


def measured(round_: int = 0) -> Measurement:
    """What one round gives: requests and servers do not know which it was."""
    samples = samples_of(*both_loops(A, round=round_), *both_loops(B, round=round_, cpu_us=None))
    return Measurement(samples.requests.drop("round"), samples.slices, samples.servers.drop("round"))


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return RunStore(tmp_path / "run")


def test_what_was_saved_comes_back(store: RunStore) -> None:
    store.save_round(0, measured())

    samples = store.round(0)

    assert_frame_equal(samples.slices, measured().slices)
    assert_frame_equal(samples.requests.drop("round"), measured().requests)
    assert_frame_equal(samples.servers.drop("round"), measured().servers)


def test_rows_know_the_round_that_they_are_of(store: RunStore) -> None:
    for index in range(3):
        store.save_round(index, measured(index))

    for index, samples in enumerate(store.rounds()):
        for frame in (samples.requests, samples.slices, samples.servers):
            assert frame["round"].unique().to_list() == [index]
            assert frame.schema["round"] == pl.Int32
    assert index == 2


def test_a_run_without_rounds_has_none(store: RunStore) -> None:
    assert store.finished_rounds() == 0
    assert list(store.rounds()) == []


def test_a_round_of_which_the_last_file_is_missing_does_not_count(store: RunStore) -> None:
    for index in range(2):
        store.save_round(index, measured(index))

    (store.folder / "samples" / "round-001.slices.parquet").unlink()

    assert store.finished_rounds() == 1
    assert [one.requests["round"].unique().to_list() for one in store.rounds()] == [[0]]


def test_a_file_that_was_being_written_does_not_count(store: RunStore) -> None:
    store.save_round(0, measured())
    finished = store.folder / "samples" / "round-000.slices.parquet"

    finished.rename(finished.with_suffix(".partial"))

    assert store.finished_rounds() == 0


def test_rounds_after_a_gap_do_not_count(store: RunStore) -> None:
    store.save_round(0, measured())
    store.save_round(2, measured(2))

    assert store.finished_rounds() == 1


def test_a_round_that_is_measured_again_takes_the_place_of_the_first(store: RunStore) -> None:
    store.save_round(0, measured())
    store.save_round(0, measured())

    assert store.round(0).slices.height == measured().slices.height


def test_nothing_but_the_files_of_a_round_is_left_behind(store: RunStore) -> None:
    store.save_round(0, measured())

    names = sorted(path.name for path in (store.folder / "samples").iterdir())

    assert names == [f"round-000.{kind}.parquet" for kind in SCHEMAS]


def test_columns_that_the_schema_does_not_know_are_left_out() -> None:
    frame = conform(measured().slices.with_columns(mood=pl.lit("good")), SLICES)

    assert frame.columns == list(SLICES)


@pytest.mark.parametrize(
    ("broken", "word"),
    [
        (measured().slices.drop("block"), "block"),
        (measured().slices.with_columns(steal_ms=pl.lit("much")), "much"),
        (measured().slices.with_columns(block=pl.lit(2**40)), "block"),
    ],
)
def test_frames_that_do_not_fit_the_schema_are_refused_in_one_line(broken: pl.DataFrame, word: str) -> None:
    with pytest.raises(SuiteError, match="samples do not fit their schema") as caught:
        conform(broken, SLICES)

    assert word in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_refused_round_is_not_finished(store: RunStore) -> None:
    sound = measured()

    with pytest.raises(SuiteError):
        store.save_round(0, Measurement(sound.requests, sound.slices.drop("block"), sound.servers))

    assert store.finished_rounds() == 0


@pytest.mark.parametrize("kind", list(SCHEMAS))
def test_files_that_were_damaged_are_told_in_one_line(store: RunStore, kind: str) -> None:
    store.save_round(0, measured())
    file = store.folder / "samples" / f"round-000.{kind}.parquet"

    file.write_bytes(file.read_bytes()[:100])

    with pytest.raises(SuiteError, match="the samples cannot be read") as caught:
        store.round(0)
    assert "\n" not in str(caught.value)

"""Stored samples: what was saved comes back, and a round that was cut short does not count."""

from pathlib import Path

import polars as pl
import pytest

from loadtests.errors import SuiteError
from loadtests.samples import REQUESTS, SERVERS, SLICES, Measurement, RunStore, conform
from tests.synthetic import two


@pytest.fixture
def measured() -> Measurement:
    """One made-up round as the load generator hands it over, without a column `round` of its own."""
    samples = two(rounds=1).samples()
    return Measurement(samples.requests.drop("round"), samples.slices, samples.servers.drop("round"))


def test_a_fresh_store_has_no_rounds_and_empty_frames_with_all_columns(tmp_path: Path) -> None:
    samples = RunStore(tmp_path).samples()

    assert RunStore(tmp_path).finished_rounds() == 0
    assert samples.requests.columns == ["round", *REQUESTS]
    assert samples.slices.columns == list(SLICES)
    assert samples.servers.columns == ["round", *SERVERS]
    assert samples.requests.is_empty()


def test_what_was_saved_comes_back(tmp_path: Path, measured: Measurement) -> None:
    store = RunStore(tmp_path)
    store.save_round(0, measured)

    samples = store.samples()

    assert samples.requests.drop("round").equals(measured.requests)
    assert samples.slices.equals(measured.slices)
    assert samples.servers.drop("round").equals(measured.servers)


def test_rounds_are_told_apart_by_their_number(tmp_path: Path, measured: Measurement) -> None:
    store = RunStore(tmp_path)
    for index in range(3):
        store.save_round(index, measured)

    assert store.finished_rounds() == 3
    for frame in (store.requests(), store.slices(), store.servers()):
        assert frame.collect()["round"].unique().sort().to_list() == [0, 1, 2]


def test_a_round_without_its_last_file_does_not_count(tmp_path: Path, measured: Measurement) -> None:
    store = RunStore(tmp_path)
    store.save_round(0, measured)
    store.save_round(1, measured)
    (tmp_path / "samples" / "round-001.slices.parquet").unlink()

    assert store.finished_rounds() == 1
    assert store.requests().collect()["round"].max() == 0


def test_a_round_behind_a_gap_does_not_count(tmp_path: Path, measured: Measurement) -> None:
    store = RunStore(tmp_path)
    store.save_round(0, measured)
    store.save_round(2, measured)

    assert store.finished_rounds() == 1


def test_nothing_temporary_is_left_behind(tmp_path: Path, measured: Measurement) -> None:
    RunStore(tmp_path).save_round(0, measured)

    assert {path.suffix for path in (tmp_path / "samples").iterdir()} == {".parquet"}


def test_columns_are_brought_into_the_order_and_types_of_the_schema() -> None:
    frame = pl.DataFrame({"extra": [1], **{name: [1] for name in reversed(list(REQUESTS))}})

    assert dict(conform(frame, REQUESTS).schema) == dict(REQUESTS)


@pytest.mark.parametrize(
    "frame",
    [pl.DataFrame({"slice": [1]}), pl.DataFrame({name: [2**40] for name in REQUESTS})],
    ids=["a missing column", "a value that does not fit"],
)
def test_samples_that_do_not_fit_are_an_error_that_says_so(frame: pl.DataFrame) -> None:
    with pytest.raises(SuiteError, match="do not fit their schema"):
        conform(frame, REQUESTS)

"""The logs are read by HdrHistogram's own library: alone, and merged with those of another run."""

from pathlib import Path

import numpy as np
import pytest
from hdrh.histogram import HdrHistogram
from hdrh.log import HistogramLogReader

from loadtests.analysis.digest import Digest, merge
from loadtests.analysis.histograms import HIGHEST_NS, SIGNIFICANT_DIGITS, histogram_of
from loadtests.analysis.tails import latency, tails_in
from loadtests.config.metrics import PERCENTILES
from loadtests.report.histograms import encoded, logs_of
from tests.support.frames import SCENARIO, A, Piece, digested, run_of, samples_of
from tests.support.latencies import digest_of, pausing_ms

TWIN = f"{A}#2"
FILE = f"{SCENARIO}.{A}.open.hlog"


def measured(seed: int) -> Digest:
    rng = np.random.default_rng(seed)
    return digest_of({(number, name): pausing_ms(rng, 1000) for number in range(4) for name in (A, TWIN)})


def read(path: Path, *texts: str) -> HdrHistogram:
    """The untagged intervals of these logs as one histogram."""
    whole = HdrHistogram(1, HIGHEST_NS, SIGNIFICANT_DIGITS)
    for text in texts:
        path.write_text(text, encoding="utf-8")
        reader = HistogramLogReader(str(path), whole)
        while (one := reader.get_next_interval_histogram()) is not None:
            if one.get_tag() is None:
                whole.add(one)
        reader.close()
    return whole


def test_a_log_says_what_the_report_says(tmp_path: Path) -> None:
    digest = measured(1)
    run = run_of(A, TWIN, twins={TWIN: A})

    logs = logs_of(digest, run)
    log, tails = read(tmp_path / "log", logs[FILE]), tails_in(digest, run.seed)

    assert list(logs) == [FILE]
    assert log.get_total_count() == 8_000
    for name, q in PERCENTILES.items():
        shown = latency(tails, SCENARIO, f"response_{name}_ms", (A, TWIN)).value
        assert log.get_value_at_percentile(100 * q) / 1e6 == pytest.approx(shown, rel=1e-9)
    longest = latency(tails, SCENARIO, "response_max_ms", (A, TWIN)).value
    assert log.get_max_value() / 1e6 == pytest.approx(longest, rel=1e-3)


def test_logs_of_two_runs_merge_into_that_of_both(tmp_path: Path) -> None:
    one, other, run = measured(1), measured(2), run_of(A, TWIN, twins={TWIN: A})

    merged = read(tmp_path / "log", *(logs_of(digest, run)[FILE] for digest in (one, other)))
    whole = read(tmp_path / "log", logs_of(merge([one, other]), run)[FILE])

    assert merged.get_total_count() == whole.get_total_count() == 16_000
    assert merged.get_percentile_to_value_dict([50, 99, 99.9]) == whole.get_percentile_to_value_dict(
        [50, 99, 99.9]
    )


def test_service_times_stand_beside_response_times_under_their_tag(tmp_path: Path) -> None:
    samples = samples_of(Piece(mode="open", service_ms=3.0, lag_ms=4.0))
    (tmp_path / "log").write_text(logs_of(digested(samples), run_of())[FILE], encoding="utf-8")

    reader = HistogramLogReader(str(tmp_path / "log"), HdrHistogram(1, HIGHEST_NS, SIGNIFICANT_DIGITS))
    response, service = (reader.get_next_interval_histogram() for _ in range(2))
    reader.close()

    assert response.get_tag() is None
    assert response.get_value_at_percentile(50) == pytest.approx(7_000_000, rel=1e-3)
    assert service.get_tag() == "service"
    assert service.get_value_at_percentile(50) == pytest.approx(3_000_000, rel=1e-3)


def test_each_load_has_a_file_of_its_own() -> None:
    both = merge([digest_of({(0, A): np.full(9, 2.0)}, own_load) for own_load in (0.5, 0.95)])

    assert list(logs_of(both, run_of())) == [f"{SCENARIO}.{A}.curve-{share}.hlog" for share in (0.5, 0.95)]


def test_a_cell_without_an_answer_is_an_empty_histogram() -> None:
    empty = HdrHistogram.decode(encoded(histogram_of(np.array([], dtype=np.int64))))

    assert empty.get_total_count() == 0

"""A server that is frozen for a second: a client that hides the wait fails."""

import json
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from loadtests.samples.store import Failure
from loadtests.selftest import frozen
from tests.support.command import run_here
from tests.support.frames import MS, Piece, samples_of


def frozen_samples(waits: bool) -> Any:
    """800 requests at 200 a second, open and closed, the server frozen from 1.5 to 2.5 s after the start."""
    pieces = [Piece(mode="open", requests=1), Piece(mode="open", requests=800, gap_ms=5.0)]
    pieces += [Piece(mode="open", requests=1), Piece(mode="closed", requests=800, users=1)]
    samples = samples_of(*pieces)
    start_ns = int(samples.slices.filter(samples.slices["slice"] == 1)["start_ns"][0])
    span_ns = start_ns + 1500 * MS, start_ns + 2500 * MS
    due_ns = samples.requests["due_ns"].to_numpy()
    inside = (samples.requests["slice"].to_numpy() == 1) & (due_ns > span_ns[0]) & (due_ns < span_ns[1])
    end_ns = np.where(inside & waits, span_ns[1] + MS, samples.requests["end_ns"].to_numpy())
    return replace(samples, requests=samples.requests.with_columns(end_ns=end_ns)), {1: span_ns}


def test_a_client_that_shows_the_wait_passes_and_one_that_hides_it_fails() -> None:
    honest = frozen.judged(frozen.rows_of(*frozen_samples(waits=True)))
    hiding = frozen.judged(frozen.rows_of(*frozen_samples(waits=False)))

    assert honest.ok
    assert not hiding.ok
    assert [one["open_loop"] for one in honest.figures] == [180, 150, 100, 50]


def test_a_lost_request_fails_the_check_of_the_frozen_server() -> None:
    samples, spans_ns = frozen_samples(waits=True)
    lost = samples.requests.with_columns(failure=Failure.TIMEOUT)

    assert not frozen.judged(frozen.rows_of(replace(samples, requests=lost), spans_ns)).ok


def test_a_frozen_server_is_found_out_by_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frozen, "SLICE_S", 2.6)
    monkeypatch.setattr(frozen, "LEAD_S", 0.8)

    ended = run_here("selftest", "--only", "frozen", "--results-dir", str(tmp_path))

    folder = Path(ended.stdout.splitlines()[-1])
    found = json.loads((folder / "selftest.json").read_text())
    (check,) = found["checks"]
    assert (check["name"], found["status"]) == ("frozen", "complete")
    assert all(row["lost"] == 0 for row in check["figures"])
    assert all(row["open_loop"] >= row["arrivals"] > row["closed_loop"] for row in check["figures"])
    page = unescape((folder / "report.html").read_text(encoding="utf-8"))
    assert check["title"] in page
    assert check["summary"] in page

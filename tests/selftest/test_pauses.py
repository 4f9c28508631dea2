"""Servers that pause on purpose: what is found of it is held against what they stamp."""

from dataclasses import replace

import pytest

from loadtests.config.catalog import Catalog
from loadtests.config.selection import CATALOG
from loadtests.machine.servers import launched
from loadtests.runs.paired_study import CPU
from loadtests.selftest import pauses
from loadtests.selftest.pauses import Row, Stamp, read_stamp
from loadtests.selftest.setting import pausing
from loadtests.selftest.stamps import read_json
from tests.support.frames import MS, Piece, digested, samples_of

OURS = Catalog(CATALOG)
COPIES = {"a": "b"}
ROW = Row("a", "requests between pauses", "requests", true=631.0, found=640.0, off_percent=1.4)


@pytest.mark.parametrize("name", ["raw-wsgi-gthread", "raw-asgi-uvicorn"])
@pytest.mark.parametrize(("every", "times"), [(5, 4), (0, 0)])
def test_a_server_stamps_the_pauses_that_it_was_asked_for(name: str, every: int, times: int) -> None:
    one = pausing(OURS.contestants[name], "pausing", every, objects=20_000)

    with launched([one], {}, ()) as endpoints:
        endpoint = endpoints["pausing"]
        before = read_stamp(endpoint)
        for _ in range(20):
            assert read_json(endpoint, "/api/probe/ping") == {"message": "pong"}
        spent = read_stamp(endpoint).since(before)

    assert (spent.requests, len(spent.pauses)) == (20, times)
    assert (spent.cpu_ns > 0) == (times > 0)
    assert spent.cpu_ns < spent.process_cpu_ns


def found(pause_ms: float = 10.0, copy_us: float = 100.0) -> dict[str, Row]:
    """The rows of four launches of 40 requests of 100 us each that pause once for 10 ms, as their servers say."""
    samples = samples_of(
        *[
            piece
            for number in range(4)
            for block in range(2)
            for piece in (
                Piece("a", scenario="ping", round=number, block=block, pauses=block, pause_ms=pause_ms),
                Piece("b", scenario="ping", round=number, block=block, cpu_us=copy_us),
            )
        ]
    )
    paused = samples.slices.filter(contestant="a", block=1).sort("round")
    stamped = [
        {"a": Stamp(40, 10 * MS, 14 * MS, ((start_ns + MS, 10 * MS),))} for start_ns in paused["start_ns"]
    ]
    return {row.figure: row for row in pauses.rows_of(digested(samples), stamped, COPIES, every=40)}


def test_what_the_slices_tell_is_what_the_servers_stamped() -> None:
    rows = found()

    expected = {
        "CPU time of pauses per request": 250.0,
        "requests between pauses": 40.0,
        "CPU time per request": 350.0,
        "longest pause": 10.0,
        "CPU time per request without pauses, against a copy": 100.0,
    }
    assert {name: row.true for name, row in rows.items()} == pytest.approx(expected)
    assert {name: row.found for name, row in rows.items()} == pytest.approx(expected)
    assert pauses.judged(list(rows.values())).ok


def test_pauses_that_are_found_too_short_fail_the_check() -> None:
    check = pauses.judged(list(found(pause_ms=9.0).values()))

    assert not check.ok
    assert "off by 10.0 % at most" in check.summary


def test_a_copy_without_pauses_that_costs_less_fails_the_check() -> None:
    check = pauses.judged(list(found(copy_us=90.0).values()))

    assert not check.ok
    assert "against a copy" in check.summary


def test_a_launch_that_ends_just_before_a_pause_does_not_make_them_rarer() -> None:
    stamp = Stamp(requests=59, cpu_ns=20_000, process_cpu_ns=79_000, pauses=((0, 20_000),))

    assert pauses.long_run([stamp], every=20) == pytest.approx(
        {pauses.PAUSE: 1.0, pauses.BETWEEN: 20.0, CPU: 2.0}
    )


def test_a_figure_that_is_not_found_fails_the_check() -> None:
    assert pauses.judged([ROW]).ok
    assert not pauses.judged([ROW, replace(ROW, found=None, off_percent=None)]).ok
    assert pauses.judged([]).ok is None


def test_the_longest_pause_is_that_of_the_slices() -> None:
    samples = samples_of(Piece("a", scenario="ping"))
    (start_ns,) = samples.slices["start_ns"]
    stamped = [{"a": Stamp(40, 0, 0, ((start_ns - MS, 99 * MS), (start_ns + MS, 10 * MS)))}]

    assert pauses.longest_ms(digested(samples), stamped, "a") == 10.0

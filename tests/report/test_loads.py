"""Latency against load: the table and the picture."""

from dataclasses import replace
from xml.etree import ElementTree

from loadtests.analysis.summary import Load, Summary
from loadtests.report.charts import draw
from loadtests.report.loads import load_tables
from tests.support.frames import digested, samples_of
from tests.support.summaries import A, B, summary_of


def load(contestant: str, own_load: float, p50_ms: float, **changes: object) -> Load:
    """A server at a share of its own throughput; p99 is ten times p50, p99.9 was not planned for."""
    return Load(
        "read", contestant, own_load, 1000 * own_load, p50_ms, p50_ms * 0.9, p50_ms * 1.1, p50_ms * 4,
        p50_ms * 10, p50_ms * 8, p50_ms * 13, None, p50_ms * 50, 4000, 20, **changes,  # type: ignore[arg-type]
    )  # fmt: skip


def loaded() -> Summary:
    """A pair, one of them with a load that a gate refused."""
    refused = load(B, 0.95, 9.0, valid=False, reasons=("achieved_rate: 93 % were answered",))
    return replace(summary_of(), loads=(load(A, 0.2, 1.0), load(A, 0.95, 4.0), load(B, 0.2, 2.0), refused))


def test_every_load_has_a_row_with_its_rate_and_percentiles() -> None:
    (table,) = load_tables(loaded())

    assert table.title == "Latency against load: Read one item"
    assert [cell.text for cell in table.rows[0]] == [
        "Flask on gunicorn", "20 %", "200", "1.00", "4.00", "10.0", "—", "50.0", "4,000",
    ]  # fmt: skip
    assert table.rows[0][3].remark == "0.900 to 1.10"


def test_a_load_that_a_gate_refused_is_struck_through_with_its_reason() -> None:
    (table,) = load_tables(loaded())

    assert table.rows[3][3].struck
    assert table.rows[3][0].marks == (1,)
    assert table.notes == ("achieved_rate: 93 % were answered",)


def test_the_picture_shows_the_loads_that_are_trusted() -> None:
    summary = loaded()

    words = list(ElementTree.fromstring(draw(summary, digested(samples_of()))["loads.svg"][1]).itertext())

    assert {"20", "95", "p50, dashed p99 (ms)", A, B, "Read one item"} <= {*words}


def test_a_run_without_such_loads_has_neither() -> None:
    assert load_tables(summary_of()) == ()
    assert "loads.svg" not in draw(summary_of(), digested(samples_of()))

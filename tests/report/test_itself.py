"""What the report says of a server against its own second launch."""

from dataclasses import replace

from loadtests.analysis.summary import AaRatio, RunNoise, Summary
from loadtests.report.answer import answer
from loadtests.report.itself import twin_table
from tests.support.summaries import A, B, compared, summary_of

CPU = "cpu_us_per_request"


def with_twins(*found: AaRatio, **bias: float) -> Summary:
    return replace(summary_of(compared("b_better")), noise=RunNoise(1.0, found, bias))


def test_a_run_in_which_a_server_differs_from_itself_says_so_at_once() -> None:
    failed = AaRatio(CPU, 1.02, 1.01, 1.03, A, failed=True)

    text = answer(with_twins(failed, AaRatio(CPU, 1.0, 0.99, 1.01, B), **{CPU: 0.02}))[-1]

    assert text.startswith("This run has a systematic error: ")
    assert "CPU per request 1.02 (1.01 to 1.03) on Flask on gunicorn" in text
    assert text.endswith("Intervals include this error: 2 % in CPU per request.")


def test_a_run_in_which_no_server_differs_from_itself_has_one_short_line() -> None:
    found = with_twins(AaRatio(CPU, 0.997, 0.99, 1.004, A), AaRatio("throughput_rps", 1.0, 0.9, 1.1, A))

    assert answer(found)[-1] == (
        "A server against its own second launch shows no systematic error: CPU per request 0.997 (0.990 to 1.004) on"
        " Flask on gunicorn."
    )


def test_the_table_has_a_column_for_all_scenarios_and_one_for_each() -> None:
    table = twin_table(
        with_twins(
            AaRatio(CPU, 1.02, 1.01, 1.03, A, failed=True),
            AaRatio("response_p50_ms", None, None, None, A, "too few samples"),
            AaRatio(CPU, 1.05, 1.0, 1.1, A, scenario="read"),
        )
    )

    assert table.columns == ("contestant", "metric", "all scenarios", "Read one item")
    assert [[cell.text for cell in row] for row in table.rows] == [
        ["Flask on gunicorn", "CPU per request", "1.02 (1.01 to 1.03)", "1.05 (1.00 to 1.10)"],
        ["Flask on gunicorn", "p50", "—", "—"],
    ]
    assert table.rows[0][2].word == "failed"
    assert table.notes == ("too few samples",)

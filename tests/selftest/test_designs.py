"""Designs that name the right winner."""

from dataclasses import replace

from loadtests.selftest import designs
from tests.support.frames import Piece, digested, samples_of


def test_a_wrong_winner_of_the_paired_design_fails_the_check_one_of_the_sequential_does_not() -> None:
    right = designs.Row("paired", 1, 0.95, designs.FAST, wrong=False, sure=True)
    wrong = designs.Row("sequential", 1, 1.05, designs.SLOW, wrong=True, sure=True)

    assert designs.judged([right, wrong]).ok
    assert "sequential: wrong 1 of 1" in designs.judged([right, wrong]).summary
    assert not designs.judged([right, replace(wrong, design="paired")]).ok


def test_a_design_names_the_server_that_costs_less() -> None:
    pieces = [
        Piece(name, round=round_, block=block, service_ms=cost, cpu_us=100 * cost, scenario="ping")
        for round_ in range(4)
        for block, wobble in enumerate((0.99, 1.0, 1.01))
        for name, cost in ((designs.FAST, wobble), (designs.SLOW, (1.05 + 0.001 * round_) * wobble))
    ]
    known = digested(samples_of(*pieces))

    assert designs.paired(known, designs.CPU)[1:] == (designs.FAST, True)
    assert designs.paired(known, designs.THROUGHPUT)[1:] == (designs.FAST, True)
    assert designs.sequential(known)[1:] == (designs.FAST, True)

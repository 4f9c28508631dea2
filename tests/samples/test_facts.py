"""The facts of a slice: one field per column."""

from dataclasses import fields

from loadtests.samples.facts import SliceFacts, facts_in
from loadtests.samples.store import SLICES
from tests.support.frames import A, B, Piece, samples_of


def test_a_record_has_one_field_per_column_in_the_same_order() -> None:
    assert [one.name for one in fields(SliceFacts)] == list(SLICES)


def test_records_come_by_slice_whatever_the_order_of_the_rows() -> None:
    slices = samples_of(Piece(A, requests=5), Piece(B, requests=7)).slices

    facts = facts_in(slices.reverse())

    assert [(one.slice, one.contestant, one.client_requests) for one in facts] == [(0, A, 5), (1, B, 7)]
    assert facts[0].span_ns == facts[0].drained_ns - facts[0].start_ns > 0

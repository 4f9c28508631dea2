"""Searches in a driven round: they take turns after the planned slices."""

import polars as pl
import pytest

from loadtests.plan.search import Search
from loadtests.plan.search_procedure import OngoingSearch
from loadtests.samples.facts import facts_in
from loadtests.samples.outcome import outcome_of
from loadtests.samples.store import SLICES, Failure
from tests.support.driving import ASGI, USERS, WSGI, Driven, driven, piece


@pytest.fixture(scope="module")
def round_of_searches() -> Driven:
    """One planned slice, then a short search on each server: one that meets its SLO, and one that can't."""
    return driven([piece(0, WSGI)], searches=[search_on(WSGI, slo_ms=0.001), search_on(ASGI)])


def search_on(contestant: str, slo_ms: float = 200.0) -> Search:
    return Search(
        "ping",
        contestant,
        slo_ms,
        7,
        users=USERS,
        step_s=0.1,
        step_limit_s=5.0,  # far more than 575 requests take, however busy the machine is
        rungs=(0.4, 0.6),
        bisections=0,
        rule="two of three",
    )


def test_searches_take_turns_after_the_planned_slices(round_of_searches: Driven) -> None:
    slices = round_of_searches.measurement.slices.sort("slice")
    turns = slices.filter(pl.col("slice") > 0).group_by("block", maintain_order=True)
    names = {block: sorted(frame["contestant"]) for (block,), frame in turns}

    assert slices["slice"].to_list() == list(range(slices.height))
    assert names[0] == names[1] == sorted((WSGI, ASGI))
    assert [one.slice for one in round_of_searches.told] == slices["slice"].to_list()
    assert slices.filter(pl.col("mode") == "closed")["rate_rps"].is_null().all()
    assert slices.filter(pl.col("mode") != "closed")["rate_rps"].is_not_null().all()


def test_slices_of_searches_keep_what_holds_of_planned_ones(round_of_searches: Driven) -> None:
    measured = round_of_searches.measurement
    rows = measured.requests.group_by("slice").len().sort("slice")["len"].to_list()
    opened = measured.slices.group_by("contestant").agg(pl.col("connections").sum())

    assert measured.slices.schema == pl.Schema(SLICES)
    assert measured.slices["server_requests"].to_list() == measured.slices["client_requests"].to_list()
    assert (measured.slices["client_requests"] - measured.slices["warmup_requests"]).to_list() == rows
    assert set(measured.requests["failure"]) == {Failure.NONE}
    assert dict(opened.iter_rows()) == {WSGI: USERS, ASGI: USERS}
    assert (measured.requests["sent_ns"] >= measured.requests["due_ns"]).all()


def test_a_search_is_replayed_from_its_samples(round_of_searches: Driven) -> None:
    measured = round_of_searches.measurement
    ongoing = OngoingSearch(search_on(ASGI))
    for facts in facts_in(measured.slices.filter(pl.col("contestant") == ASGI)):
        assert ongoing.step is not None
        assert ongoing.step.rate_rps == facts.rate_rps
        ongoing.learn(outcome_of(measured.requests.filter(pl.col("slice") == facts.slice), facts))

    tried = {facts.rate_rps for facts in facts_in(measured.slices.filter(pl.col("contestant") == ASGI))}
    assert ongoing.step is None
    assert ongoing.result is not None
    assert {ongoing.result.passing_rps, ongoing.result.failing_rps} <= {None, *tried}

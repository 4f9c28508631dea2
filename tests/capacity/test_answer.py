"""What a capacity report says first: who carries more."""

from dataclasses import replace

import pytest

from loadtests.analysis.summary import Finding, Verdict
from loadtests.capacity.answer import answer
from loadtests.capacity.verdict import CAPACITY
from loadtests.plan.search import Search
from tests.support.summaries import compared, summary_of

RULES = Search("ping", "flask-gthread", slo_ms=50.0, seed=7)


@pytest.mark.parametrize(
    ("verdict", "finding", "said"),
    [
        (
            "a_better",
            "a_better",
            "Flask on gunicorn carries 1.05 times the load of FastAPI on uvicorn (uvloop)",
        ),
        (
            "b_better",
            "b_slightly_better",
            "FastAPI on uvicorn (uvloop) carries slightly more, 1.05 times the load of",
        ),
        ("equivalent", "equivalent", "carry the same load"),
        ("inconclusive", "about_equal", "carry about the same load, within 5.2 %"),
        ("inconclusive", "too_noisy", "is too noisy to say (take longer)"),
    ],
)
def test_every_finding_has_its_sentence(verdict: Verdict, finding: Finding, said: str) -> None:
    found = replace(compared(verdict, 1.05, CAPACITY, note="take longer"), finding=finding, within=0.0512)

    (sentence,) = answer(summary_of(found), {}, RULES)

    assert said in sentence
    assert "ratio 1.05, 95 % interval 0.945 to 1.16" in sentence

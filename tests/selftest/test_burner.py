"""Servers that burn CPU time: they answer as before, and tell the truth of what they burnt."""

import json

import httpx2
import pytest

from loadtests.config.catalog import Catalog
from loadtests.config.selection import CATALOG
from loadtests.machine.servers import launched
from loadtests.reference.burner import Burner
from loadtests.selftest.burning import Stamp, read_stamp, truth
from loadtests.selftest.setting import headliners, wrapped

OURS = Catalog(CATALOG)
FLOORS = ("raw-wsgi-gthread", "raw-asgi-uvicorn")


@pytest.mark.parametrize("name", FLOORS)
def test_a_wrapped_server_answers_as_before_and_stamps_what_it_burnt(name: str) -> None:
    costly = wrapped(OURS.contestants[name], "costly", 20_000)

    with launched([costly], {}, ()) as endpoints, httpx2.Client() as client:
        before = read_stamp(endpoints["costly"])
        url = f"http://127.0.0.1:{endpoints['costly'].port}"
        answers = [client.get(f"{url}/api/probe/ping") for _ in range(20)]
        spent = read_stamp(endpoints["costly"]).since(before)

    assert {one.text for one in answers} == {'{"message":"pong"}'}
    assert spent.requests == 20
    assert 0 < spent.burnt_ns < spent.cpu_ns
    assert spent.burnt_ns / 20 > 20_000  # 20,000 turns take more than a nanosecond each


def test_a_burner_without_turns_burns_next_to_nothing() -> None:
    idle, busy = Burner(0), Burner(100_000)
    for _ in range(20):
        idle.burn()
        busy.burn()

    spent = [json.loads(one.stamps()) for one in (idle, busy)]

    assert [one["requests"] for one in spent] == [20, 20]
    assert spent[0]["burnt_ns"] < spent[1]["burnt_ns"] / 10


def test_both_headliners_can_be_wrapped() -> None:
    for one in headliners(OURS):
        copy = wrapped(one, "copy", 7)

        assert copy.command[-1] == f"loadtests.reference.burning_{one.gateway}:app"
        assert copy.environment["BURNER_APP"] == one.command[-1]
        assert copy.command[:-1] == one.command[:-1]


def test_a_stamp_tells_what_a_request_costs_and_how_much_of_it_was_burnt() -> None:
    stamp = Stamp(requests=500, burnt_ns=13_000_000, cpu_ns=65_000_000)

    assert stamp.cost_ns == pytest.approx(130_000)
    assert stamp.burnt_each_ns == pytest.approx(26_000)


def test_the_true_ratio_is_that_of_the_servers_own_counts_and_has_an_interval_over_launches() -> None:
    rounds = [{"base": Stamp(1, 0, 100), "copy": Stamp(2, 0, 2 * cost)} for cost in (110, 121, 110, 121)]

    found = truth(rounds, "copy", "base")

    low, high = found.interval()
    assert found.value == pytest.approx((1.10 * 1.21) ** 0.5)
    assert low == pytest.approx(1.057, abs=0.001)
    assert high == pytest.approx(1.259, abs=0.001)

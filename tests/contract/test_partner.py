"""Calling the partner service, a real one: answers, fan-out, failures, and how many calls at once."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Semaphore, Thread
from urllib.parse import parse_qsl, urlsplit

import httpx2
import pytest

from shared.ops.settings import Settings
from tests.support.clients import Opened
from tests.support.shop import JWT_SECRET, faults, problem
from tests.support.waiting import eventually

# None of these calls needs database or cache.
SETTINGS = Settings("postgresql:///nowhere", "redis://127.0.0.1:1", JWT_SECRET)

Shop = Callable[..., httpx2.Client]


@pytest.fixture(scope="module")
def shop(opened: Opened) -> Iterator[Shop]:
    """Makes an app with such settings; gives its client."""
    with ExitStack() as clients:
        yield cache(lambda **fields: clients.enter_context(opened(replace(SETTINGS, **fields))))


@pytest.fixture
def client(shop: Shop, partner_url: str) -> httpx2.Client:
    """The shop with a partner to call."""
    return shop(upstream_url=partner_url)


def stats(partner_url: str) -> dict[str, int]:
    """What the partner was asked since it was last asked for this."""
    counted: dict[str, int] = httpx2.get(f"{partner_url}/stats?reset=1").json()
    return counted


class HoldingPartner(ThreadingHTTPServer):
    """A partner that answers one call each time it is let.

    asked: who asks, told by the delay that is wished for. at_once: how many calls were under way when each began.
    """

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.at_once: list[int] = []
        self.answered = 0
        self.may_answer = Semaphore(0)
        super().__init__(("127.0.0.1", 0), HoldingAnswer)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def let_all(self, calls: int, from_: int) -> None:
        """Waits until `from_` calls are under way, and lets one through whenever the next has come."""
        for number in range(from_, calls + 1):
            eventually(lambda: len(self.asked) == number, f"call {number} is under way")  # noqa: B023
            self.may_answer.release(1 if number < calls else from_)


class HoldingAnswer(BaseHTTPRequestHandler):
    """One call to it."""

    server: HoldingPartner

    def do_GET(self) -> None:
        wish = {name: int(value) for name, value in parse_qsl(urlsplit(self.path).query)}
        self.server.asked.append(wish["delay_ms"])
        self.server.at_once.append(len(self.server.asked) - self.server.answered)
        self.server.may_answer.acquire()
        self.server.answered += 1
        body = json.dumps({"partner": "ok", **wish}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def holding_partner() -> Iterator[HoldingPartner]:
    with HoldingPartner() as partner:
        serving = Thread(target=partner.serve_forever, args=(0.01,))
        serving.start()
        yield partner
        partner.may_answer.release(1000)  # whoever a failed test has left waiting
        partner.shutdown()
        serving.join()


def test_the_partners_answer_is_passed_on(client: httpx2.Client) -> None:
    answer = client.get("/api/partner/one", params={"delay_ms": 1})
    assert (answer.status_code, answer.content) == (200, b'{"partner":"ok","delay_ms":1}')


def test_of_many_calls_the_answers_come_in_their_order(client: httpx2.Client) -> None:
    answer = client.get("/api/partner/many?n=50&delay_ms=5").json()
    expected = [{"call": number, "partner": "ok", "delay_ms": 5} for number in range(1, 51)]
    assert answer == {"calls": expected, "n": 50}


def test_many_calls_are_under_way_at_once(shop: Shop, holding_partner: HoldingPartner) -> None:
    client = shop(upstream_url=holding_partner.url, upstream_timeout_s=60.0)
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(client.get, "/api/partner/many?n=10")
        holding_partner.let_all(10, from_=10)
        assert answer.result().status_code == 200
    assert holding_partner.at_once == list(range(1, 11))


def test_connections_are_used_again(client: httpx2.Client, partner_url: str) -> None:
    client.get("/api/partner/one?delay_ms=0")
    stats(partner_url)
    for _ in range(3):
        client.get("/api/partner/one?delay_ms=0")
    counted = stats(partner_url)
    assert (counted["calls"], counted["connections"]) == (3, 1)  # the one is that of the question


def test_no_more_calls_are_under_way_than_allowed(shop: Shop, holding_partner: HoldingPartner) -> None:
    client = shop(upstream_url=holding_partner.url, upstream_max_calls=4, upstream_timeout_s=60.0)
    with ThreadPoolExecutor(3) as pool:
        answers = [pool.submit(client.get, "/api/partner/many?n=8") for _ in range(3)]
        holding_partner.let_all(24, from_=4)
        assert [answer.result().status_code for answer in answers] == [200] * 3
    assert (len(holding_partner.at_once), max(holding_partner.at_once)) == (24, 4)


def test_who_comes_later_waits_behind_all_calls_of_who_came_before(
    shop: Shop, holding_partner: HoldingPartner
) -> None:
    client = shop(upstream_url=holding_partner.url, upstream_max_calls=1, upstream_timeout_s=60.0)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(client.get, "/api/partner/many?n=4&delay_ms=1")
        eventually(lambda: holding_partner.asked, "the first one's first call is under way")
        second = pool.submit(client.get, "/api/partner/many?n=4&delay_ms=2")
        holding_partner.let_all(8, from_=1)
        assert [first.result().status_code, second.result().status_code] == [200, 200]
    assert holding_partner.asked == [1] * 4 + [2] * 4


def test_who_waits_too_long_for_a_turn_is_sent_away(shop: Shop, partner_url: str) -> None:
    client = shop(upstream_url=partner_url, upstream_max_calls=1, upstream_timeout_s=0.5)
    answer = client.get("/api/partner/many?n=50&delay_ms=50")
    assert "partner" in problem(answer, 503, "unavailable")["detail"]
    assert answer.headers["retry-after"] == "1"


@pytest.mark.parametrize("asked", ["delay_ms=5000", "hang=true"])
def test_a_partner_that_takes_too_long_is_not_waited_for(shop: Shop, partner_url: str, asked: str) -> None:
    client = shop(upstream_url=partner_url, upstream_timeout_s=1.0)
    problem(client.get(f"/api/partner/one?{asked}"), 504, "upstream_timeout")
    assert client.get("/api/partner/one?delay_ms=0").status_code == 200


@pytest.mark.parametrize("status", [204, 302, 404, 500, 503])
def test_a_partner_that_fails_is_502(client: httpx2.Client, status: int) -> None:
    problem(client.get(f"/api/partner/one?delay_ms=0&status={status}"), 502, "upstream_error")


def test_a_broken_answer_is_502(shop: Shop, partner_url: str) -> None:
    client = shop(upstream_url=f"{partner_url}/broken")
    problem(client.get("/api/partner/one"), 502, "upstream_error")
    problem(client.get("/api/partner/many?n=2"), 502, "upstream_error")


def test_a_partner_that_is_not_there_is_502(shop: Shop, unused_port: int) -> None:
    client = shop(upstream_url=f"http://127.0.0.1:{unused_port}")
    problem(client.get("/api/partner/one"), 502, "upstream_error")


def test_without_a_partner_it_is_503(shop: Shop) -> None:
    client = shop()
    for path in ("/api/partner/one", "/api/partner/many"):
        answer = client.get(path)
        assert "partner" in problem(answer, 503, "unavailable")["detail"]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/one?delay_ms=-1&status=600&hang=1", ["too_small", "wrong_type", "too_large"]),
        ("/one?status=199&delay_ms=10001", ["too_large", "too_small"]),
        ("/many?n=51", ["too_large"]),
        ("/many?n=0&delay_ms=x", ["wrong_type", "too_small"]),
    ],
)
def test_what_the_partner_cannot_be_asked_is_refused(shop: Shop, path: str, expected: list[str]) -> None:
    assert [code for _, code in faults(shop().get(f"/api/partner{path}"))] == expected


def test_under_gevent_many_calls_are_under_way_at_once(
    url_of: Callable[[str], str], partner_url: str
) -> None:
    stats(partner_url)
    answer = httpx2.get(f"{url_of('flask-gevent')}/api/partner/many?n=20&delay_ms=1000")
    assert answer.status_code == 200
    assert stats(partner_url)["most_at_once"] == 20

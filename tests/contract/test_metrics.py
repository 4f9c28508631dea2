"""What Prometheus is told. What several workers tell together is in test_workers.py."""

import os
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import httpx2

from shared.ops.metrics import CONTENT_TYPE, forget_the_dead
from shared.ops.settings import Settings
from tests.support.clients import Opened
from tests.support.shop import in_process

ASKED = (
    ("GET", "/api/probe/ping", '{method="GET",route="/api/probe/ping",status="200"}'),
    ("HEAD", "/healthz", '{method="HEAD",route="/healthz",status="200"}'),
    ("GET", "/api/items/007", '{method="GET",route="/api/items/{item_id}",status="200"}'),
    ("GET", "/api/items/999999", '{method="GET",route="/api/items/{item_id}",status="404"}'),
    ("OPTIONS", "/api/items/1", '{method="OPTIONS",route="/api/items/{item_id}",status="204"}'),
    ("POST", "/api/items/1", '{method="POST",route="/api/items/{item_id}",status="405"}'),
    ("POST", "/api/orders/1/cancel/", '{method="POST",route="none",status="404"}'),
    ("GET", "/docs/assets/swagger-ui.css", '{method="GET",route="/docs/assets/{path}",status="200"}'),
    ("GET", "/docs/assets/nothing.js", '{method="GET",route="/docs/assets/{path}",status="404"}'),
    ("GET", "/static/shop.css", '{method="GET",route="/static/{path}",status="200"}'),
    ("GET", "//healthz", '{method="GET",route="none",status="404"}'),
    ("PROPFIND", "/healthz", '{method="other",route="/healthz",status="405"}'),
    ("BREW", "/pot", '{method="other",route="none",status="404"}'),
)


def ask(client: httpx2.Client, method: str, path: str) -> None:
    client.request(method, client.base_url.copy_with(raw_path=path.encode()))


def samples(client: httpx2.Client, name: str) -> dict[str, float]:
    """The samples of a metric, by their labels as written."""
    text = client.get("/metrics").text
    found = re.findall(rf"^{name}(\{{.*\}})? (\S+)$", text, re.MULTILINE)
    return {labels: float(value) for labels, value in found}


def test_requests_are_counted_by_method_route_and_status(
    opened: Opened, new_settings: Callable[[], Settings]
) -> None:
    with opened(new_settings()) as client:
        for method, path, _ in ASKED:
            ask(client, method, path)
        counted = Counter(
            {labels: int(count) for labels, count in samples(client, "shop_requests_total").items()}
        )
    expected = Counter(labels for _, _, labels in ASKED)
    assert Counter(map(unrouted, counted.elements())) == Counter(map(unrouted, expected.elements()))


def unrouted(labels: str) -> str:
    """The labels without the route of a refused method: not every framework says which route it is."""
    return re.sub(r'route="[^"]*",status="405"', 'status="405"', labels)


@in_process
def test_durations_lie_in_buckets(client: httpx2.Client) -> None:
    before = samples(client, "shop_request_duration_seconds_count")
    sleep = '{method="GET",route="/api/probe/sleep"}'
    client.get("/api/probe/sleep?ms=30")
    buckets = samples(client, "shop_request_duration_seconds_bucket")
    assert samples(client, "shop_request_duration_seconds_count")[sleep] == before.get(sleep, 0.0) + 1.0
    assert buckets['{le="+Inf",method="GET",route="/api/probe/sleep"}'] >= 1.0
    assert samples(client, "shop_request_duration_seconds_sum")[sleep] >= 0.030


@in_process
def test_the_request_for_the_figures_is_the_one_in_flight(client: httpx2.Client) -> None:
    assert samples(client, "shop_requests_in_flight") == {"": 1.0}


@in_process
def test_the_figures_are_text(client: httpx2.Client) -> None:
    assert client.get("/metrics").headers["content-type"] == CONTENT_TYPE


def test_both_apps_say_the_same(flask_in_process: httpx2.Client, fastapi_in_process: httpx2.Client) -> None:
    said = [
        re.findall(r"^# (?:HELP|TYPE) .*$", client.get("/metrics").text, re.MULTILINE)
        for client in (flask_in_process, fastapi_in_process)
    ]
    assert said[0] == said[1]
    assert len(said[0]) == 6


def test_what_a_dead_worker_was_doing_is_forgotten_and_what_it_did_is_not(tmp_path: Path) -> None:
    ended = os.posix_spawn("/bin/true", ["true"], {})
    os.waitpid(ended, 0)
    kept = [tmp_path / f"gauge_livesum_{os.getpid()}.db", tmp_path / f"counter_{ended}.db"]
    for file in (*kept, tmp_path / f"gauge_livesum_{ended}.db"):
        file.touch()
    forget_the_dead(tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted(kept)

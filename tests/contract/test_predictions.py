"""Predictions: what a table scores, what is no table, and that others are served while a large one is scored."""

import select
import socket
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest

from shared.shop.model import HEADER
from tests.support.shop import anonymous, faults, in_process, problem
from tests.support.waiting import eventually

ROW = b"1.5,-2,3e-1,0,5,6,7,8"
PINGS = 15
SERVERS = ("flask-gthread", "flask-gevent", "fastapi-uvicorn")


def table(*rows: bytes) -> bytes:
    return b"\n".join([HEADER, *rows, b""])


def post_table(client: httpx2.Client, data: bytes) -> httpx2.Response:
    return client.post("/api/predict", files={"file": ("table.csv", data)})


def test_a_table_is_scored(client: httpx2.Client) -> None:
    response = anonymous(client, "POST", "/api/predict", files={"file": table(ROW, b"0,0,0,0,0,0,0,0", ROW)})
    assert response.status_code == 200, response.text
    answer = response.json()
    assert list(answer) == ["rows", "mean", "scores"]
    assert (answer["rows"], len(answer["scores"])) == (3, 3)
    assert answer["scores"][0] == answer["scores"][2] != answer["scores"][1]
    assert all(0 < score < 1 and round(score, 6) == score for score in answer["scores"])
    assert answer["mean"] == pytest.approx(sum(answer["scores"]) / 3, abs=1e-6)


def test_of_many_scores_the_first_hundred_are_told(client: httpx2.Client) -> None:
    rows = [b"%d,0,0,0,0,0,0,%d" % (number % 7, number) for number in range(5000)]
    answer = post_table(client, table(*rows)).json()
    assert (answer["rows"], len(answer["scores"])) == (5000, 100)
    assert answer["scores"] == post_table(client, table(*rows[:100])).json()["scores"]
    assert answer["mean"] != post_table(client, table(*rows[:100])).json()["mean"]


@in_process
def test_windows_line_ends_and_a_last_line_without_one_are_read(client: httpx2.Client) -> None:
    answer = post_table(client, table(ROW, ROW)).json()
    assert post_table(client, table(ROW, ROW).replace(b"\n", b"\r\n")).json() == answer
    assert post_table(client, table(ROW, ROW).rstrip(b"\n")).json() == answer


@in_process
@pytest.mark.parametrize(
    "data",
    [
        b"",
        HEADER,
        table(),
        ROW,
        table(ROW).replace(b"x8", b"x9"),
        table(ROW).replace(b"x8", b"x8,x9"),
        table(b""),
        table(ROW, b"", ROW),
        table(b"1,2,3"),
        table(ROW, b"1,2,3,4,5,6,7"),
        table(ROW + b",9"),
        table(b"1,2,3,4,5,6,7,x"),
        table(b"1,2,3,4,5,6,7,"),
        table(b"1,2,3,4,5,6,7,nan"),
        table(b"1,2,3,4,5,6,7,-inf"),
        table(b"1,2,3,4,5,6,7,1000001"),
        table(b'1,2,3,4,5,6,7,"8"'),
        table(b"1,2,3,4,5,6,7,1_0"),
        table(b"1,2,3,4,5,6,7,\xff"),
        table(b"1,2,3,4,5,6,7,\xd9\xa1"),
        table(b"1,2,3,4,5,6,7,8\0"),
        table(b"# 1,2,3,4,5,6,7,8"),
    ],
)
def test_what_is_no_such_table_is_422(client: httpx2.Client, data: bytes) -> None:
    assert faults(post_table(client, data)) == [("/file", "bad_format")]


@in_process
def test_a_table_comes_in_a_form(client: httpx2.Client) -> None:
    headers = {"Content-Type": "text/csv"}
    problem(client.post("/api/predict", content=table(ROW), headers=headers), 415, "unsupported_media_type")
    assert faults(client.post("/api/predict", files={"table": table(ROW)})) == [
        ("/file", "missing"),
        ("/table", "unknown_field"),
    ]


def request_of(data: bytes) -> bytes:
    """A whole request for a prediction, as it goes over the wire."""
    body = (
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="t"\r\n\r\n' + data + b"\r\n--x--\r\n"
    )
    head = b"POST /api/predict HTTP/1.1\r\nHost: shop\r\nContent-Type: multipart/form-data; boundary=x\r\n"
    return head + b"Content-Length: %d\r\n\r\n" % len(body) + body


@pytest.fixture(scope="module", params=SERVERS)
def url(request: pytest.FixtureRequest, url_of: Callable[[str], str]) -> httpx2.URL:
    return httpx2.URL(url_of(request.param))


def unread(connection: socket.socket) -> int:
    """How many bytes of what was sent the server has not read yet. Source: proc_pid_net(5), /proc/net/tcp."""
    own, server = (f":{address[1]:04X}" for address in (connection.getsockname(), connection.getpeername()))
    queues = 0
    for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]:
        local, remote, _, queue = line.split()[1:5]
        if local.endswith(own) and remote.endswith(server):
            queues += int(queue.split(":")[0], 16)
        elif local.endswith(server) and remote.endswith(own):
            queues += int(queue.split(":")[1], 16)
    return queues


def test_others_are_served_while_a_large_table_is_scored(url: httpx2.URL) -> None:
    large = request_of(table(*[b"0,0,0,0,0,0,0,0"] * 100_000))
    with (
        socket.create_connection((url.host, url.port), timeout=60) as scoring,
        httpx2.Client(base_url=url, timeout=60) as other,
    ):
        scoring.sendall(large)
        eventually(lambda: not unread(scoring), "the server has read all")
        for _ in range(PINGS):
            assert other.get("/api/probe/ping").status_code == 200
        answered_first = not select.select([scoring], [], [], 0)[0]
        assert scoring.recv(65_536).startswith(b"HTTP/1.1 200 OK\r\n")
    assert answered_first

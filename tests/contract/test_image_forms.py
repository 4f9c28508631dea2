"""The forms that images of items come in: one file, whole, and not too large."""

from collections.abc import Iterator
from hashlib import sha256
from random import Random

import httpx2
import pytest

from tests.support.shop import PNG, faults, in_chunks, in_process, problem

MEBIBYTE = 1024 * 1024
BOUNDARY = "multipart/form-data; boundary=x"
ONCE = {"Connection": "close"}
# Starlette leaves the file of a part that does not end to the garbage collector.
leaves_files = pytest.mark.filterwarnings("ignore::ResourceWarning")


def put_body(
    client: httpx2.Client, body: bytes | Iterator[bytes], declared: str = BOUNDARY
) -> httpx2.Response:
    headers = {"Content-Type": declared, **ONCE}
    return client.put("/api/items/3/image", content=body, headers=headers)


def part(disposition: str, data: bytes = PNG) -> bytes:
    return b"--x\r\nContent-Disposition: form-data%b\r\n\r\n%b\r\n" % (disposition.encode(), data)


FILE = part('; name="file"; filename="a"')


@in_process
@pytest.mark.parametrize("declared", ["application/json", "image/png", "multipart/mixed; boundary=x", ""])
def test_a_body_that_is_no_form_is_415(client: httpx2.Client, declared: str) -> None:
    problem(put_body(client, FILE + b"--x--\r\n", declared), 415, "unsupported_media_type")


@leaves_files
@pytest.mark.parametrize(
    ("declared", "body"),
    [
        ("multipart/form-data", FILE + b"--x--\r\n"),
        ("multipart/form-data; boundary=", FILE + b"--x--\r\n"),
        (f'multipart/form-data; boundary="{"x" * 71}"', FILE + b"--x--\r\n"),
        ("multipart/form-data; boundary=y", FILE + b"--x--\r\n"),
        (BOUNDARY, b""),
        (BOUNDARY, b"hello"),
        (BOUNDARY, b"--x\r\n"),
        (BOUNDARY, FILE),
        (BOUNDARY, FILE[:-700]),
        (BOUNDARY, part('; name="file"; filename="a"')[:50]),
        (BOUNDARY, b"--x\r\n\r\n" + PNG + b"\r\n--x--\r\n"),
        (BOUNDARY, b"--x\r\nContent-Type: image/png\r\n\r\n" + PNG + b"\r\n--x--\r\n"),
        (BOUNDARY, part('; filename="a"') + b"--x--\r\n"),
    ],
)
def test_a_broken_form_is_refused(client: httpx2.Client, declared: str, body: bytes) -> None:
    answer = put_body(client, body, declared)
    assert answer.status_code in {400, 422}
    assert answer.headers["content-type"] == "application/problem+json"


@leaves_files
@pytest.mark.parametrize("end", [b"--x\r\n", b"--x-", b"--x"])
def test_a_form_without_its_end_stores_the_whole_file_or_nothing(client: httpx2.Client, end: bytes) -> None:
    answer = put_body(client, FILE + end)
    assert answer.status_code in {200, 400, 422}
    assert answer.status_code != 200 or answer.json()["etag"] == f'"{sha256(PNG).hexdigest()}"'


@in_process
@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (b"", [("/file", "missing")]),
        (part('; name="photo"; filename="a"'), [("/file", "missing"), ("/photo", "unknown_field")]),
        (part('; name="file"'), [("/file", "wrong_type")]),
        (FILE + part('; name="title"', b"x"), [("/title", "unknown_field")]),
    ],
)
def test_a_form_holds_one_file_and_nothing_else(
    client: httpx2.Client, parts: bytes, expected: list[tuple[str, str]]
) -> None:
    assert faults(put_body(client, parts + b"--x--\r\n")) == expected


@in_process
def test_a_boundary_may_be_quoted(client: httpx2.Client) -> None:
    declared = 'multipart/form-data; charset=utf-8; boundary="x"'
    assert put_body(client, FILE + b"--x--\r\n", declared).status_code == 200


def _large(size: int) -> bytes:
    """A form of `size` bytes."""
    head, tail = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n', b"\r\n--x--\r\n"
    # Of random bytes: line breaks at the end of a piece are what a parser has to hold back.
    return head + PNG + Random(0).randbytes(size - len(head) - len(PNG) - len(tail)) + tail


def test_a_form_of_exactly_ten_mebibytes_is_stored(client: httpx2.Client) -> None:
    stored = put_body(client, _large(10 * MEBIBYTE)).json()
    data = client.get("/api/items/3/image").content
    assert len(data) == stored["size_bytes"] > 10 * MEBIBYTE - 200
    assert f'"{sha256(data).hexdigest()}"' == stored["etag"]
    tail = client.get("/api/items/3/image", headers={"Range": "bytes=-200000"})
    assert tail.content == data[-200_000:]


@in_process
def test_a_chunked_form_of_exactly_ten_mebibytes_is_stored(client: httpx2.Client) -> None:
    assert put_body(client, in_chunks(_large(10 * MEBIBYTE))).status_code == 200


def test_one_byte_more_is_413(client: httpx2.Client) -> None:
    problem(put_body(client, _large(10 * MEBIBYTE + 1)), 413, "too_large")


def test_a_chunked_form_that_is_too_large_is_413(client: httpx2.Client) -> None:
    problem(put_body(client, in_chunks(_large(10 * MEBIBYTE + 1))), 413, "too_large")

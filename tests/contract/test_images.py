"""Images of items: uploads by the signature of their bytes, and answers whole, in part or not at all."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from fastapi_app.app import create_app
from shared.ops.settings import Settings
from tests.support.shop import ADMIN, PNG, an_item, anonymous, bearer, in_process, problem

KINDS = {
    "image/png": PNG,
    "image/jpeg": b"\xff\xd8\xff\xe0" + b"j" * 20,
    "image/gif": b"GIF89a" + b"g" * 20,
    "image/webp": b"RIFF\x24\0\0\0WEBPVP8 " + b"w" * 20,
}
NO_IMAGES = {
    "empty": b"",
    "text": b"hello",
    "cut signature": b"\x89PNG\r\n\x1a",
    "another RIFF": b"RIFF\x24\0\0\0WAVEfmt " + b"w" * 20,
    "GIF of no version": b"GIF88a" + b"g" * 20,
    "SVG": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
}


def put_image(client: httpx2.Client, item: Any, data: bytes, name: str = "photo.png") -> httpx2.Response:
    return client.put(f"/api/items/{item['id']}/image", files={"file": (name, data)})


@pytest.fixture
def path(client: httpx2.Client) -> str:
    """Where the image of a new item is: PNG."""
    item = an_item(client)
    assert put_image(client, item, PNG).status_code == 200
    return f"/api/items/{item['id']}/image"


@pytest.mark.parametrize("content_type", KINDS)
def test_an_image_comes_back_as_what_its_bytes_say(client: httpx2.Client, content_type: str) -> None:
    item, data = an_item(client), KINDS[content_type]
    stored = put_image(client, item, data, "../../etc/passwd.txt")
    etag = f'"{sha256(data).hexdigest()}"'
    assert (stored.status_code, list(stored.json().items())) == (
        200,
        [("item_id", item["id"]), ("content_type", content_type), ("size_bytes", len(data)), ("etag", etag)],
    )
    response = client.get(f"/api/items/{item['id']}/image")
    assert (response.status_code, response.content) == (200, data)
    assert response.headers["content-type"] == content_type
    assert response.headers["content-length"] == str(len(data))
    assert response.headers["etag"] == etag
    assert response.headers["accept-ranges"] == "bytes"
    assert response.headers["x-content-type-options"] == "nosniff"


@in_process
@pytest.mark.parametrize("what", NO_IMAGES)
def test_any_other_file_is_415_whatever_its_name_says(client: httpx2.Client, what: str) -> None:
    item = an_item(client)
    problem(put_image(client, item, NO_IMAGES[what]), 415, "unsupported_media_type")
    problem(client.get(f"/api/items/{item['id']}/image"), 404, "not_found")


def test_an_image_takes_the_place_of_the_one_before_and_no_file_is_left_over(
    client: httpx2.Client, media_dir: str
) -> None:
    item = an_item(client)
    put_image(client, item, PNG)
    before = set(Path(media_dir).iterdir())
    assert put_image(client, item, KINDS["image/gif"]).json()["content_type"] == "image/gif"
    assert client.get(f"/api/items/{item['id']}/image").content == KINDS["image/gif"]
    [gone], [new] = before - set(Path(media_dir).iterdir()), set(Path(media_dir).iterdir()) - before
    assert new.read_bytes() == KINDS["image/gif"]
    assert gone != new


def test_deleting_an_item_deletes_its_image(client: httpx2.Client, media_dir: str) -> None:
    before = set(Path(media_dir).iterdir())
    item = an_item(client)
    put_image(client, item, PNG)
    assert client.delete(f"/api/items/{item['id']}").status_code == 204
    problem(client.get(f"/api/items/{item['id']}/image"), 404, "not_found")
    assert set(Path(media_dir).iterdir()) == before


def test_an_item_that_does_not_exist_gets_no_image_and_no_file(client: httpx2.Client, media_dir: str) -> None:
    before = set(Path(media_dir).iterdir())
    problem(put_image(client, {"id": 999999999}, PNG), 404, "not_found")
    problem(client.get("/api/items/999999999/image"), 404, "not_found")
    assert set(Path(media_dir).iterdir()) == before


@in_process
def test_only_admins_give_images_and_everybody_sees_them(client: httpx2.Client, path: str) -> None:
    files = {"file": ("a.png", PNG)}
    problem(anonymous(client, "PUT", path, files=files), 401, "unauthorized")
    problem(client.put(path, files=files, headers=bearer(2)), 403, "forbidden")
    assert anonymous(client, "GET", path).content == PNG


@pytest.mark.parametrize(
    ("asked", "content_range", "start", "stop"),
    [
        ("bytes=0-0", "bytes 0-0/1032", 0, 1),
        ("bytes=5-9", "bytes 5-9/1032", 5, 10),
        ("bytes=1000-", "bytes 1000-1031/1032", 1000, 1032),
        ("bytes=-7", "bytes 1025-1031/1032", 1025, 1032),
        ("bytes=1030-99999999999999999999", "bytes 1030-1031/1032", 1030, 1032),
    ],
)
def test_a_range_is_answered_with_that_part(
    client: httpx2.Client, path: str, asked: str, content_range: str, start: int, stop: int
) -> None:
    response = client.get(path, headers={"Range": asked})
    assert (response.status_code, response.content) == (206, PNG[start:stop])
    assert response.headers["content-range"] == content_range
    assert response.headers["content-length"] == str(stop - start)
    assert response.headers["content-type"] == "image/png"
    assert response.headers["etag"] == f'"{sha256(PNG).hexdigest()}"'


@in_process
@pytest.mark.parametrize("asked", ["bytes=1032-", "bytes=5000-6000"])
def test_a_range_behind_the_end_is_416(client: httpx2.Client, path: str, asked: str) -> None:
    assert client.get(path, headers={"Range": asked}).status_code == 416


@in_process
@pytest.mark.parametrize(
    "asked",
    [
        "bytes=0-1,5-6",
        "bytes=9-5",
        "bytes=-",
        "bytes=",
        "bytes",
        "items=0-1",
        "bytes=a-b",
        "bytes=\u0661-\u0662",
        "bytes=-0",
        "bytes=-5000",
    ],
)
def test_several_ranges_and_malformed_ones_are_answered_safely(
    client: httpx2.Client, path: str, asked: str
) -> None:
    response = client.get(path, headers=[(b"Range", asked.encode())])
    assert response.status_code in {200, 206, 400, 416}
    assert response.status_code != 200 or response.content == PNG


@in_process
def test_a_range_holds_only_for_the_image_that_the_client_knows(client: httpx2.Client, path: str) -> None:
    etag = client.get(path).headers["etag"]
    part_of = {"Range": "bytes=0-3"}
    assert client.get(path, headers={**part_of, "If-Range": etag}).status_code == 206
    response = client.get(path, headers={**part_of, "If-Range": '"other"'})
    assert (response.status_code, response.content) == (200, PNG)


@pytest.mark.parametrize("form", ["{}", "W/{}", '"a", {} , "b"', "*"])
def test_an_image_that_the_client_has_is_304(client: httpx2.Client, path: str, form: str) -> None:
    etag = client.get(path).headers["etag"]
    for method in ("GET", "HEAD"):
        headers = {"If-None-Match": form.format(etag), "Range": "bytes=0-3"}
        response = client.request(method, path, headers=headers)
        assert (response.status_code, response.content) == (304, b"")
        assert response.headers["etag"] == etag
        assert "content-type" not in response.headers


@in_process
def test_another_image_than_the_client_has_is_sent(client: httpx2.Client, path: str) -> None:
    assert client.get(path, headers={"If-None-Match": '"other"'}).content == PNG


def test_head_tells_of_the_whole_image(client: httpx2.Client, path: str) -> None:
    got, headed = client.get(path), client.head(path)
    assert (headed.status_code, headed.content) == (200, b"")
    names = ("content-type", "content-length", "etag", "accept-ranges")
    assert {name: headed.headers[name] for name in names} == {name: got.headers[name] for name in names}


def test_readers_see_one_image_or_the_other_while_it_is_replaced(client: httpx2.Client) -> None:
    item, (first, second) = an_item(client), (PNG * 100, KINDS["image/gif"] * 4000)
    put_image(client, item, first)

    def read(_: int) -> bytes:
        response = client.get(f"/api/items/{item['id']}/image")
        assert response.status_code == 200
        assert response.headers["etag"] == f'"{sha256(response.content).hexdigest()}"'
        return response.content

    with ThreadPoolExecutor(4) as pool:
        seen = pool.map(read, range(20))
        for number in range(6):
            put_image(client, item, second if number % 2 == 0 else first)
        assert set(seen) <= {first, second}


def test_fastapi_sends_an_image_itself_where_a_server_would_open_its_path_later(
    new_settings: Callable[[], Settings],
) -> None:
    app = create_app(new_settings())

    async def on_a_server_that_opens_files(scope: Scope, receive: Receive, send: Send) -> None:
        """As granian does: it opens a path when the app has ended, and with it the file that the app held open."""
        await app({**scope, "extensions": {"http.response.pathsend": {}}}, receive, send)

    with TestClient(on_a_server_that_opens_files, headers=ADMIN) as client:
        item = an_item(client)
        put_image(client, item, PNG)
        response = client.get(f"/api/items/{item['id']}/image")
    assert (response.status_code, response.content) == (200, PNG)

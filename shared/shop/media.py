"""Images of items: what counts as one, where its bytes are kept, and which of them a request gets.

A row of the table `images` says which file is an item's image. A file is written under a name of its own and never
changed, so that whoever has read a row reads that image, whatever replaces it meanwhile.
"""

import hashlib
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from shared.http.conditional import CACHE_CONTROL, names
from shared.shop.errors import RangeNotSatisfiable, UnsupportedMediaType
from shared.shop.limits import CHUNK_BYTES
from shared.shop.tables import Image

CONTENT_TYPES = ("image/png", "image/jpeg", "image/gif", "image/webp")
# WHATWG MIME Sniffing, section 6.1: the bytes at the beginning of a file, where a dot stands for any byte.
_SIGNATURES = (
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "image/png"),
    (re.compile(rb"\xff\xd8\xff"), "image/jpeg"),
    (re.compile(rb"GIF8[79]a"), "image/gif"),
    (re.compile(rb"RIFF....WEBPVP", re.DOTALL), "image/webp"),
)
_SIGNATURE_BYTES = 14
_RANGE = re.compile(r"bytes=[ \t]*([0-9]{0,100})-([0-9]{0,100})[ \t]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Draft:
    """An image that was written to a file which no row names yet. `etag` as it stands in the header."""

    path: Path
    content_type: str
    size_bytes: int
    etag: str


@dataclass(frozen=True, slots=True)
class Conditions:
    """What a request says of the copy it has, and which part it wants: the values of its headers, or None."""

    if_none_match: str | None
    if_range: str | None
    range: str | None


@dataclass(frozen=True, slots=True)
class Answer:
    """How an image is answered: status, headers, and which bytes of the file, from `start` up to before `stop`."""

    status: int
    headers: Mapping[str, str]
    start: int
    stop: int

    @property
    def length(self) -> int:
        """How many bytes are sent."""
        return self.stop - self.start


def sniff(head: bytes) -> str:
    """The content type of an image by its first bytes; raises UnsupportedMediaType for any other file."""
    for signature, content_type in _SIGNATURES:
        if signature.match(head):
            return content_type
    raise UnsupportedMediaType("The file is neither PNG, JPEG, GIF nor WebP.")


@contextmanager
def drafts(folder: Path) -> Iterator[list[Draft]]:
    """A list for the drafts of a request: those that are still in it at the end are deleted."""
    kept: list[Draft] = []
    try:
        yield kept
    finally:
        for draft in kept:
            remove(folder, draft.path.name)


def write(source: BinaryIO, folder: Path) -> Draft:
    """Copies an image into the folder, a piece at a time, and its name is there only when all of it is on the disk.

    Raises UnsupportedMediaType before anything is written.
    """
    content_type = sniff(source.read(_SIGNATURE_BYTES))
    source.seek(0)
    folder.mkdir(parents=True, exist_ok=True)
    digest, size_bytes = hashlib.sha256(), 0
    descriptor, part = tempfile.mkstemp(suffix=".part", dir=folder)
    try:
        with os.fdopen(descriptor, "wb") as target:
            while chunk := source.read(CHUNK_BYTES):
                digest.update(chunk)
                size_bytes += target.write(chunk)
            target.flush()
            os.fsync(target.fileno())
        path = Path(part).rename(Path(part).with_suffix(""))
    except BaseException:
        Path(part).unlink(missing_ok=True)
        raise
    return Draft(path, content_type, size_bytes, f'"{digest.hexdigest()}"')


def new_image(item_id: int, draft: Draft, at: datetime) -> Image:
    """The row that makes a draft the image of an item."""
    return Image(
        item_id=item_id,
        file=draft.path.name,
        content_type=draft.content_type,
        size_bytes=draft.size_bytes,
        etag=draft.etag,
        updated_at=at,
    )


def remove(folder: Path, name: str) -> None:
    """Deletes a file that no row names any more."""
    (folder / name).unlink(missing_ok=True)


def answer(image: Image, asked: Conditions, *, headless: bool) -> Answer:
    """Which answer a GET or HEAD gets (RFC 9110, sections 13 and 14). Raises RangeNotSatisfiable.

    A range that is malformed, or several of them, or a range in a HEAD request, is as if it were not there.
    """
    common = {
        "ETag": image.etag,
        "Cache-Control": CACHE_CONTROL,
        "Accept-Ranges": "bytes",
    }
    if asked.if_none_match is not None and names(asked.if_none_match, image.etag):
        return Answer(304, common, 0, 0)
    wanted = None
    if not headless and asked.range is not None and asked.if_range in {None, image.etag}:
        wanted = byte_range(asked.range, image.size_bytes)
    start, stop = wanted or (0, image.size_bytes)
    headers = {**common, "Content-Type": image.content_type, "Content-Length": str(stop - start)}
    if wanted is None:
        return Answer(200, headers, start, stop)
    part = {"Content-Range": f"bytes {start}-{stop - 1}/{image.size_bytes}"}
    return Answer(206, headers | part, start, stop)


def byte_range(header: str, size_bytes: int) -> tuple[int, int] | None:
    """The one range of bytes that a Range header asks for, as start and stop; None when it does no such thing.

    Raises RangeNotSatisfiable when there are no such bytes.
    """
    found = _RANGE.fullmatch(header)
    first, last = found.groups() if found else ("", "")
    if not (first or last) or (first and last and int(first) > int(last)):
        return None
    start = int(first) if first else max(0, size_bytes - int(last))
    stop = min(int(last) + 1, size_bytes) if first and last else size_bytes
    if start >= stop:
        raise RangeNotSatisfiable(size_bytes)
    return start, stop

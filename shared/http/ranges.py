"""Which part of an image a request gets (RFC 9110, sections 13 and 14), for an app that decides it itself."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from shared.http.conditional import CACHE_CONTROL, names
from shared.shop.errors import RangeNotSatisfiable
from shared.shop.tables import Image

_RANGE = re.compile(r"bytes=[ \t]*([0-9]{0,100})-([0-9]{0,100})[ \t]*", re.IGNORECASE)


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

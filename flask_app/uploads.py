"""How a view takes an uploaded file, out of a form that werkzeug parses."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from tempfile import SpooledTemporaryFile
from typing import IO, Any, BinaryIO, cast

from flask import request
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge
from werkzeug.formparser import MultiPartParser

from flask_app import api
from shared.http.uploads import (
    PARTS_MAX,
    SPOOL_MAX_BYTES,
    TEXT_MAX_BYTES,
    UPLOAD_MAX,
    UPLOAD_MAX_BYTES,
    Watch,
    boundary_of,
    the_file,
)
from shared.shop.errors import MalformedBody, TooLarge

_FILENAME = re.compile(r";[ \t]*filename=", re.IGNORECASE)


def file(view: api.View) -> api.View:
    """Passes the file of the request's form, open, as the view's last argument."""

    @wraps(view)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        with _uploaded() as found:
            return view(*args, found, **kwargs)

    return api.note(wrapped, upload=True)


class _Watched:
    """A body that is looked at as it is read."""

    def __init__(self, stream: IO[bytes], watch: Watch) -> None:
        self._stream = stream
        self._watch = watch

    def read(self, size: int) -> bytes:
        """The next bytes, none at the end."""
        return self._watch.see(self._stream.read(size))


@contextmanager
def _uploaded() -> Iterator[BinaryIO]:
    """The file of the form. werkzeug opens files as it parses: they are closed at the end, whatever became of it."""
    with ExitStack() as opened:

        def open_file(*_: Any, **__: Any) -> Any:
            return opened.enter_context(SpooledTemporaryFile(max_size=SPOOL_MAX_BYTES))

        yield the_file(_parts(open_file))


def _parts(open_file: Callable[..., Any]) -> list[tuple[str | None, BinaryIO | None]]:
    """All parts of the form by name: files, and None for each text."""
    boundary = boundary_of(request.headers.get("Content-Type"))
    if (request.content_length or 0) > UPLOAD_MAX_BYTES:
        raise TooLarge(UPLOAD_MAX)
    # Beyond what is allowed, so that the watch's bound is what counts: werkzeug refuses a chunked body that just fits.
    request.max_content_length = UPLOAD_MAX_BYTES + 2
    parser = MultiPartParser(open_file, max_form_memory_size=TEXT_MAX_BYTES, max_form_parts=PARTS_MAX)
    stream = cast("IO[bytes]", _Watched(request.stream, Watch(boundary)))
    try:
        texts, files = parser.parse(stream, boundary.encode("ascii"), request.content_length)
    except (ValueError, ClientDisconnected, RequestEntityTooLarge):  # of parts: too many, or a text too long
        raise MalformedBody from None
    found = [(name, _file_in(part)) for name, part in files.items(multi=True)]
    return [*((name, None) for name in texts for _ in texts.getlist(name)), *found]


def _file_in(part: FileStorage) -> BinaryIO | None:
    """The file of a part; None where the name comes as `filename*` alone, which RFC 7578 (section 4.2) forbids."""
    named = _FILENAME.search(part.headers["Content-Disposition"])
    return cast("BinaryIO", part.stream) if named else None

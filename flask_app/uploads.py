"""How a view takes an uploaded file, out of a form that werkzeug parses."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, cast

from flask import request
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge
from werkzeug.formparser import FormDataParser

from flask_app import api
from shared.http.uploads import (
    PARTS_MAX,
    SPOOL_MAX_BYTES,
    TEXT_MAX_BYTES,
    UPLOAD_MAX,
    UPLOAD_MAX_BYTES,
    the_file,
)
from shared.shop.errors import MalformedBody, TooLarge, UnsupportedMediaType


def file(view: api.View) -> api.View:
    """Passes the file of the request's form, open, as the view's last argument."""

    @wraps(view)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        with _uploaded() as found:
            return view(*args, found, **kwargs)

    return api.note(wrapped, upload=True)


@contextmanager
def _uploaded() -> Iterator[BinaryIO]:
    """The file of the form. `request.files` would leave files open of a form that breaks off."""
    if request.mimetype != "multipart/form-data":
        raise UnsupportedMediaType("Send the body as multipart/form-data.")
    if (request.content_length or 0) > UPLOAD_MAX_BYTES:
        raise TooLarge(UPLOAD_MAX)
    request.max_content_length = UPLOAD_MAX_BYTES + 1  # werkzeug refuses a chunked body that just fits
    with ExitStack() as opened:

        def open_file(*_: Any, **__: Any) -> Any:
            return opened.enter_context(SpooledTemporaryFile(max_size=SPOOL_MAX_BYTES))

        parser = FormDataParser(
            open_file, max_form_memory_size=TEXT_MAX_BYTES, max_form_parts=PARTS_MAX, silent=False
        )
        try:
            _, texts, files = parser.parse(
                request.stream, request.mimetype, request.content_length, request.mimetype_params
            )
        except RequestEntityTooLarge:
            raise TooLarge(UPLOAD_MAX) from None
        except (ValueError, ClientDisconnected):
            raise MalformedBody from None
        parts = [(name, cast("BinaryIO", part.stream)) for name, part in files.items(multi=True)]
        yield the_file([*parts, *((name, None) for name, _ in texts.items(multi=True))])

"""How a view takes an uploaded file, out of a form that werkzeug parses."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import wraps
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, TypeVar, cast

from flask import request
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge
from werkzeug.formparser import FormDataParser

from flask_app import api
from shared.http.uploads import FORM, UPLOAD_MAX, UPLOAD_MAX_BYTES
from shared.shop.errors import Invalid, MalformedBody, TooLarge, UnsupportedMediaType
from shared.shop.faults import fault, pointer_to
from shared.shop.limits import UPLOAD_FIELD

# A part that is no file is held in memory, up to here. None is wanted: it is read to be refused by its name.
# werkzeug bounds what it has read and not parsed yet by the same number, so it has to be well above a piece.
TEXT_MAX_BYTES = 512 * 1024
PARTS_MAX = 100
# A file is held in memory up to here, and on the disk from there on.
SPOOL_MAX_BYTES = 1024 * 1024

T = TypeVar("T")


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
    if request.mimetype != FORM:
        raise UnsupportedMediaType(f"Send the body as {FORM}.")
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


def the_file(parts: Sequence[tuple[str | None, T | None]]) -> T:
    """The file among the parts of a form: pairs of a name and a file, None where the part is text.

    Raises MalformedBody for a part without name, and Invalid unless there is one part, named `file`, with a file name.
    """
    if any(name is None for name, _ in parts):
        raise MalformedBody
    files = [file for name, file in parts if name == UPLOAD_FIELD and file is not None]
    texts = sum(name == UPLOAD_FIELD for name, _ in parts) - len(files)
    # %22 is a quotation mark in a name, as browsers write it; not every parser takes it back.
    others = {name.replace("%22", '"') for name, _ in parts if name is not None} - {UPLOAD_FIELD}
    faults = [fault(pointer_to([name]), "unknown_field") for name in others]
    if texts or len(files) > 1:
        faults.append(fault(f"/{UPLOAD_FIELD}", "wrong_type", "one file"))
    elif not files:
        faults.append(fault(f"/{UPLOAD_FIELD}", "missing"))
    if faults:
        raise Invalid(faults)
    return files[0]

"""Uploads: a body of multipart/form-data (RFC 7578) that holds one file, by the same rules in both apps.

Each app parses with its framework's own parser; what is decided around that is decided here.
"""

import re
from collections.abc import Sequence
from typing import TypeVar

from shared.shop.errors import Invalid, MalformedBody, TooLarge, UnsupportedMediaType
from shared.shop.faults import fault, pointer_to
from shared.shop.limits import UPLOAD_FIELD

FORM = "multipart/form-data"
UPLOAD_MAX_BYTES = 10 * 1024 * 1024
UPLOAD_MAX = "10 MiB"
# A part that is no file is held in memory, up to here. None is wanted: it is read to be refused by its name.
# werkzeug bounds what it has read and not parsed yet by the same number, so it has to be well above a piece.
TEXT_MAX_BYTES = 512 * 1024
PARTS_MAX = 100
# A file is held in memory up to here, and on the disk from there on.
SPOOL_MAX_BYTES = 1024 * 1024

# What RFC 2046 (section 5.1.1) allows, quoted or not.
_BOUNDARY_CHARACTERS = r"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]"
_BOUNDARY = re.compile(
    rf';[ \t]*boundary=(?:"({_BOUNDARY_CHARACTERS})"|([0-9A-Za-z\'()+_,./:=?-]{{1,70}}))[ \t]*(?:;|$)',
    re.IGNORECASE,
)

T = TypeVar("T")


def is_form(content_type: str | None) -> bool:
    """Whether a Content-Type header declares such a body, parameters aside."""
    return (content_type or "").partition(";")[0].strip().lower() == FORM


def boundary_of(content_type: str | None) -> str:
    """What stands between the parts. Raises UnsupportedMediaType, or MalformedBody when it is missing."""
    if not is_form(content_type):
        raise UnsupportedMediaType(f"Send the body as {FORM}.")
    found = _BOUNDARY.search(content_type or "")
    if found is None:
        raise MalformedBody
    return found[1] or found[2]


class Watch:
    """Looks at a body as it comes in, piece by piece, before it is parsed."""

    def __init__(self, boundary: str) -> None:
        self._openings = (f"--{boundary}\r\n".encode(), f"--{boundary}--".encode())
        self._begun = b""
        self._left = UPLOAD_MAX_BYTES

    def see(self, piece: bytes) -> bytes:
        """The piece. Raises TooLarge, or MalformedBody when the body does not begin with a boundary and CRLF.

        Text before the first boundary, and lines that end in LF alone, are what one parser takes and the other doesn't.
        """
        self._left -= len(piece)
        if self._left < 0:
            raise TooLarge(UPLOAD_MAX)
        length = len(self._openings[0])
        if len(self._begun) < length:
            self._begun = (self._begun + piece)[:length]
            if not any(opening.startswith(self._begun) for opening in self._openings):
                raise MalformedBody
        return piece


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

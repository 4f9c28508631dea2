"""Uploads: a body of multipart/form-data (RFC 7578) that holds one file, by the same rules in both apps.

Each app parses with its framework's own parser; what is decided around that is decided here.
"""

from collections.abc import Sequence
from typing import TypeVar

from shared.shop.errors import Invalid, MalformedBody
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

T = TypeVar("T")


def is_form(content_type: str | None) -> bool:
    """Whether a Content-Type header declares such a body, parameters aside."""
    return (content_type or "").partition(";")[0].strip().lower() == FORM


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

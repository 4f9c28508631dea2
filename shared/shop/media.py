"""Images of items: what counts as one, and where its bytes are kept.

A row of the table `images` says which file is an item's image. A file is written under a name of its own and never
changed, so that a reader of a row gets its image, even if it is replaced meanwhile.
"""

import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from shared.shop.errors import UnsupportedMediaType
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


@dataclass(frozen=True, slots=True)
class Draft:
    """An image that was written to a file which no row names yet. `etag` as it stands in the header."""

    path: Path
    content_type: str
    size_bytes: int
    etag: str


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
    """Copies an image into the folder, piece by piece; its name exists only once all of it is on the disk.

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

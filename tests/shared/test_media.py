"""What is decided of uploads and images without a server: the forms, the kinds, and the files."""

from io import BytesIO
from pathlib import Path

import pytest

from flask_app.uploads import the_file
from shared.shop import media
from shared.shop.errors import Invalid, MalformedBody, UnsupportedMediaType


def test_only_the_first_bytes_decide_what_a_file_is() -> None:
    assert media.sniff(b"\xff\xd8\xff") == "image/jpeg"
    with pytest.raises(UnsupportedMediaType):
        media.sniff(b" \xff\xd8\xff")


def test_a_draft_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    class Broken(BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell() >= 65_536:
                raise OSError("the disk is gone")
            return super().read(size)

    with pytest.raises(OSError, match="gone"):
        media.write(Broken(b"GIF89a" + bytes(200_000)), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_drafts_that_no_row_names_are_deleted(tmp_path: Path) -> None:
    with media.drafts(tmp_path) as drafts:
        drafts.append(media.write(BytesIO(b"GIF89a"), tmp_path))
        assert [file.read_bytes() for file in tmp_path.iterdir()] == [b"GIF89a"]
    assert list(tmp_path.iterdir()) == []


def test_the_one_file_is_found() -> None:
    assert the_file([("file", "here")]) == "here"
    with pytest.raises(MalformedBody):
        the_file([(None, "here")])
    for parts in ([], [("file", None)], [("file", "a"), ("file", "b")], [("file", "a"), ("x", None)]):
        with pytest.raises(Invalid):
            the_file(parts)

"""What is decided of uploads and images without a server: boundaries, ranges, and which answer fits."""

from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.http import ranges
from shared.http.ranges import Conditions
from shared.http.uploads import the_file
from shared.shop import media
from shared.shop.errors import Invalid, MalformedBody, RangeNotSatisfiable, UnsupportedMediaType
from shared.shop.tables import Image

NOTHING_ASKED = Conditions(None, None, None)
sizes = st.integers(1, 2000)
positions = st.integers(0, 3000)


def an_image(size_bytes: int = 1000) -> Image:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    return Image(
        item_id=1, file="f", content_type="image/png", size_bytes=size_bytes, etag='"e"', updated_at=at
    )


@given(size=sizes, first=positions, length=sizes)
def test_a_range_is_a_slice_of_what_there_is(size: int, first: int, length: int) -> None:
    header = f"bytes={first}-{first + length - 1}"
    if first >= size:
        with pytest.raises(RangeNotSatisfiable):
            ranges.byte_range(header, size)
    else:
        assert ranges.byte_range(header, size) == (first, min(first + length, size))


@given(size=sizes, length=sizes)
def test_a_suffix_is_the_end_of_what_there_is(size: int, length: int) -> None:
    start, stop = ranges.byte_range(f"bytes=-{length}", size) or (None, None)
    assert (start, stop) == (max(0, size - length), size)


@given(text=st.text(max_size=20), size=sizes)
def test_no_header_does_harm(text: str, size: int) -> None:
    for header in (text, f"bytes={text}"):
        try:
            found = ranges.byte_range(header, size)
        except RangeNotSatisfiable:
            continue
        assert found is None or 0 <= found[0] < found[1] <= size


def test_only_the_first_bytes_decide_what_a_file_is() -> None:
    assert media.sniff(b"\xff\xd8\xff") == "image/jpeg"
    with pytest.raises(UnsupportedMediaType):
        media.sniff(b" \xff\xd8\xff")


def test_an_image_that_is_known_is_not_sent_whatever_part_was_asked_for() -> None:
    asked = Conditions('W/"e"', None, "bytes=5000-")
    assert ranges.answer(an_image(), asked, headless=False).status == 304
    assert ranges.answer(an_image(), replace(asked, if_none_match="e"), headless=True).status == 200


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

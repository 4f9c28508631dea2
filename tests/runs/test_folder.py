"""What folders and their files have in common."""

from datetime import UTC, datetime

from loadtests.runs.folder import stamp


def test_a_stamp_is_iso_8601_to_the_second_with_its_zone() -> None:
    assert stamp(datetime(2025, 1, 2, 3, 4, 5, 678, tzinfo=UTC)) == "2025-01-02T03:04:05+00:00"

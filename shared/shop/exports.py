"""Exports: rows of items as CSV (RFC 4180) or as one JSON document per line, encoded some hundred rows at a time.

A cell is written as it is stored. A spreadsheet takes text that begins with `=`, `+`, `-` or `@` for a formula: an
export is for programs, and a mark before such a cell would change the data.
"""

import csv
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Any

import orjson

from shared.shop.limits import rfc3339

# How many rows are fetched, encoded and sent at once.
ROWS_AT_ONCE = 500
COLUMNS = ("id", "name", "description", "price_cents", "stock", "created_at", "updated_at")

Encode = Callable[[Iterable[Sequence[Any]]], bytes]


@dataclass(frozen=True, slots=True)
class Format:
    """A way to write rows: what comes before the first of them, and how some of them are encoded."""

    name: str
    content_type: str
    head: bytes
    encode: Encode

    @property
    def headers(self) -> dict[str, str]:
        """The headers of an export."""
        return {
            "Content-Type": self.content_type,
            "Content-Disposition": f'attachment; filename="items.{self.name}"',
        }


def csv_lines(rows: Iterable[Sequence[Any]]) -> bytes:
    """Rows, in the order of COLUMNS, as lines of CSV that end in CRLF; a missing description is an empty cell."""
    lines = StringIO(newline="")
    csv.writer(lines).writerows((*row[:5], rfc3339(row[5]), rfc3339(row[6])) for row in rows)
    return lines.getvalue().encode()


def json_lines(rows: Iterable[Sequence[Any]]) -> bytes:
    """Rows, in the order of COLUMNS, as lines that each hold an item as the API answers it."""
    return b"".join(
        orjson.dumps(
            dict(zip(COLUMNS, (*row[:5], rfc3339(row[5]), rfc3339(row[6])), strict=True)),
            option=orjson.OPT_APPEND_NEWLINE,
        )
        for row in rows
    )


CSV = Format("csv", "text/csv; charset=utf-8", (",".join(COLUMNS) + "\r\n").encode(), csv_lines)
NDJSON = Format("ndjson", "application/x-ndjson", b"", json_lines)

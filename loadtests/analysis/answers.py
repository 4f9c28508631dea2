"""Kept answers -> whether contestants gave the same answer to the same request. Pure, round by round."""

import json
import re
from collections.abc import Sequence
from itertools import zip_longest
from typing import Any

import polars as pl

from loadtests.samples.store import Schema, conform

ANSWERS_DIGEST: Schema = {
    "round": pl.Int32,
    "scenario": pl.String,
    "contestant": pl.String,
    "mode": pl.String,
    "compared": pl.Int64,
    "differing": pl.Int64,
    "example": pl.String,
}
"""One row per round, cell and mode: how many kept answers could be compared with another contestant's, how many of
these differ from what is usual, and the first difference in words.

Usual is what most contestants answered, a contestant and its second launch counted once; where as many answered
otherwise, nothing is usual and all differ. An answer of an unexpected status is a failure already, and not compared.
"""

_GROUP = ["round", "scenario", "contestant", "mode"]
_REQUEST = ["round", "scenario", "mode", "own_load", "block", "place", "variant"]
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"?|[{}\[\],:]|[^{}\[\],:"]+')  # of JSON; other text comes in pieces too
_SHOWN = 60  # characters of a value


def compared(answers: pl.DataFrame, slices: pl.DataFrame) -> pl.DataFrame:
    """The rows of ANSWERS_DIGEST; answers and slices: the samples of whole rounds."""
    of_slice = slices.select("slice", "contestant", *_REQUEST[:5]).with_columns(
        pl.col("own_load").fill_null(0.0), launched=pl.col("contestant").str.replace("#.*$", "")
    )
    kept = answers.filter(pl.col("fits").is_not_null()).join(of_slice, on=["round", "slice"])
    several = kept.filter(pl.col("launched").n_unique().over(_REQUEST) > 1)
    known = several.join(_usual(several), on=[*_REQUEST, "digest"]).sort(*_GROUP, "slice", "place")
    rows = [_row(part, known) for part in known.partition_by(*_GROUP, maintain_order=True)]
    return conform(pl.DataFrame(rows, dict(ANSWERS_DIGEST)), ANSWERS_DIGEST)


def _usual(kept: pl.DataFrame) -> pl.DataFrame:
    """Of each request's different answers, whether one is the usual one."""
    votes = kept.group_by(*_REQUEST, "digest").agg(votes=pl.col("launched").n_unique())
    is_most = pl.col("votes") == pl.col("votes").max().over(_REQUEST)
    return votes.with_columns(usual=is_most & (is_most.sum().over(_REQUEST) == 1)).drop("votes")


def _row(own: pl.DataFrame, known: pl.DataFrame) -> dict[str, Any]:
    differing = own.filter(~pl.col("usual"))
    example = "" if differing.is_empty() else _example(differing.row(0, named=True), known)
    counts = {"compared": own.height, "differing": differing.height, "example": example}
    return {**own.select(_GROUP).row(0, named=True), **counts}


def _example(own: dict[str, Any], known: pl.DataFrame) -> str:
    """The difference between an answer and another contestant's to the same request, the usual one if there is one."""
    same_request = pl.all_horizontal(pl.col(name) == own[name] for name in _REQUEST)
    others = known.filter(same_request & (pl.col("digest") != own["digest"])).sort(
        "usual", "contestant", descending=[True, False]
    )
    other = others.row(0, named=True)
    return f"{difference(own['body'], other['body'])} ({other['contestant']})"


def difference(own: str, other: str) -> str:
    """Where two canonical texts differ first, as a JSON pointer, and both values; the texts may be cut off.

    Of what isn't JSON: both texts from there on.
    """
    tokens, others = _TOKEN.findall(own), _TOKEN.findall(other)
    place = next((i for i, (a, b) in enumerate(zip_longest(tokens, others)) if a != b), None)
    if place is None:
        return "a difference beyond what was kept of the bodies"
    pointer = _pointer(tokens, place) if own[:1] in {"{", "["} else ""
    return f"{pointer or 'the body'}: {_shown(tokens[place:])} against {_shown(others[place:])}"


def _pointer(tokens: Sequence[str], place: int) -> str:
    """The pointer to the value that a token belongs to; for a key or a delimiter, to what holds it."""
    parts: list[str | int | None] = []  # of each open object or array, what is read; None: a key comes next
    for word in tokens[:place]:
        if word in "{[":
            parts.append(None if word == "{" else 0)
        elif word in "}]":
            parts.pop()
        elif word == ",":
            parts[-1] = parts[-1] + 1 if isinstance(parts[-1], int) else None
        elif parts[-1] is None:
            parts[-1] = json.loads(word)
    is_value = place < len(tokens) and tokens[place] not in "}],:" and parts[-1:] != [None]
    return "".join(f"/{part}" for part in (parts if is_value else parts[:-1]))


def _shown(tokens: Sequence[str]) -> str:
    """The value that begins with the first token."""
    text = "".join(tokens if tokens[:1] in (["{"], ["["]) else tokens[:1])
    return f"{text[:_SHOWN]}..." if len(text) > _SHOWN else text or "nothing"

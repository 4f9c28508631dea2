"""A small neural network that scores rows of eight numbers: CPU work, like that of a served model.

Two layers, weights drawn from a fixed seed: what it predicts means nothing, and is the same everywhere.
"""

from functools import cache
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from shared.shop.errors import Invalid
from shared.shop.faults import fault
from shared.shop.limits import CHUNK_BYTES, UPLOAD_FIELD

FEATURES, HIDDEN = 8, 128
SCORES_MAX, DIGITS = 100, 6
VALUE_MAX = 1e6
HEADER = ",".join(f"x{number}" for number in range(1, FEATURES + 1)).encode()
_SEED = 20260101

FloatArray = NDArray[np.float64]


@cache
def weights() -> tuple[FloatArray, FloatArray, FloatArray, float]:
    """Weights (8, 128) and biases (128,) of the first layer, weights (128,) and bias of the second."""
    rng = np.random.default_rng(_SEED)
    return (
        rng.normal(0, FEATURES**-0.5, (FEATURES, HIDDEN)),
        rng.normal(0, 0.1, HIDDEN),
        rng.normal(0, 2 * HIDDEN**-0.5, HIDDEN),
        float(rng.normal(0, 0.1)),
    )


def predict(table: BinaryIO) -> dict[str, Any]:
    """How many rows a CSV has, the mean of their scores, and the first hundred scores, rounded to six digits.

    The table has the header line x1,...,x8 and at least one row; its numbers are not beyond a million either way.
    Raises Invalid for any other file. It is read and scored a piece at a time, so memory does not grow with it.
    """
    if table.readline(len(HEADER) + 3).rstrip(b"\r\n") != HEADER:
        raise _no_table()
    count, total, first = 0, 0.0, np.empty(0)
    while lines := table.readlines(CHUNK_BYTES):
        scores = score(rows_of(lines))
        count, total = count + len(scores), total + float(scores.sum())
        if len(first) < SCORES_MAX:
            first = np.concatenate([first, scores])[:SCORES_MAX]
    if not count:
        raise _no_table()
    return {
        "rows": count,
        "mean": round(total / count, DIGITS),
        "scores": [round(one, DIGITS) for one in first.tolist()],
    }


def rows_of(lines: list[bytes]) -> FloatArray:
    """Lines of a CSV as numbers of shape (rows, 8). Raises Invalid unless every line holds eight of them."""
    if not all(line.strip() for line in lines):
        raise _no_table()
    try:
        rows = np.loadtxt(lines, delimiter=",", ndmin=2, comments=None, encoding="ascii")
    except ValueError:
        raise _no_table() from None
    if rows.shape != (len(lines), FEATURES) or not (np.abs(rows) <= VALUE_MAX).all():
        raise _no_table()
    return rows


def score(rows: FloatArray) -> FloatArray:
    """The scores of rows of shape (rows, 8), each between 0 and 1."""
    first, first_bias, second, second_bias = weights()
    logits = np.tanh(rows @ first + first_bias) @ second + second_bias
    scores: FloatArray = 1 / (1 + np.exp(-logits))
    return scores


def _no_table() -> Invalid:
    return Invalid([fault(f"/{UPLOAD_FIELD}", "bad_format")])

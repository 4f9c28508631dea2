"""The calls to the partner service, and which of its answers are valid."""

from collections.abc import Mapping
from typing import Any

import orjson

from shared.shop.errors import UpstreamError

PATH = "/partner"


def wish(delay_ms: int, *, status: int = 200, hang: bool = False, call: int | None = None) -> str:
    """The path and query of a call, without default values."""
    asked = f"{PATH}?delay_ms={delay_ms}"
    if status != 200:
        asked += f"&status={status}"
    if hang:
        asked += "&hang=1"
    return asked if call is None else f"{asked}&call={call}"


def wishes(n: int, delay_ms: int) -> list[str]:
    """The same of n calls, numbered from 1."""
    return [wish(delay_ms, call=number) for number in range(1, n + 1)]


def answer_of(status: int, body: bytes) -> Mapping[str, Any]:
    """The partner's answer; raises UpstreamError for anything but 200 and the document it promised."""
    try:
        answer = orjson.loads(body) if status == 200 else None
    except orjson.JSONDecodeError:
        answer = None
    if not isinstance(answer, dict) or answer.get("partner") != "ok" or "delay_ms" not in answer:
        raise UpstreamError
    return answer

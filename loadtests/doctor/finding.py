"""A finding on one subject."""

from dataclasses import dataclass
from typing import Literal

Severity = Literal["good", "warning", "bad"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One subject judged. `advice` is empty when nothing is to be done; `stops`: it makes a run impossible."""

    severity: Severity
    subject: str
    found: str
    advice: str = ""
    stops: bool = False

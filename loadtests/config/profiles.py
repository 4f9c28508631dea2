"""Profiles and claims as `catalog/profiles.toml` and `catalog/claims.toml` describe them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar

from loadtests.config.entries import FLAG, POSITIVE, TEXT, TEXTS, Key, Kind, check_names, one_of, read_entries
from loadtests.errors import CatalogError

Arrivals = Literal["poisson", "constant"]
Design = Literal["paired", "sequential"]


@dataclass(frozen=True, slots=True)
class Profile:
    """How much is measured, and how; how large a round is follows from the budget (see loadtests/plan/budget.py).

    `open_share` is the part of the load time that open slices get; `open_scenarios` have some, `curve_scenarios` are
    also loaded at shares of each server's own throughput. `open_load` is the arrival rate as a fraction of the slowest
    contestant's closed throughput, `arrivals` how they are spaced; `margin` is the relative difference that matters; a
    slice with more than `steal_limit_percent` of stolen CPU time is set aside; `twins` are launched twice, as "NAME"
    and "NAME#2". `contestants` and `scenarios` are what is run unless the user says otherwise; empty means all, but
    for `curve_scenarios`, where it means none.
    """

    name: str
    title: str
    budget_s: float
    max_rounds: int
    warmup_ms: int
    open_load: float
    margin: float
    steal_limit_percent: float
    twins: tuple[str, ...]
    arrivals: Arrivals = "poisson"
    contestants: tuple[str, ...] = ()
    scenarios: tuple[str, ...] = ()
    open_share: float = 0.4
    open_scenarios: tuple[str, ...] = ()
    curve_scenarios: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Claim:
    """A pair that is compared; every ratio is a / b."""

    a: str
    b: str
    title: str
    headline: bool = False


class _MayBeHeadline(Protocol):
    @property
    def headline(self) -> bool: ...


Compared = TypeVar("Compared", bound=_MayBeHeadline)


def headline(pairs: Sequence[Compared]) -> Compared | None:
    """The pair that a report opens with and a precision is promised for: the first headline, else the first of all."""
    return next((pair for pair in pairs if pair.headline), pairs[0] if pairs else None)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


FRACTION = Kind("a fraction between 0 and 1", lambda value: _number(value) and 0 < value < 1)
PERCENT = Kind("a percentage up to 100", lambda value: _number(value) and 0 < value <= 100)

PROFILE_KEYS = {
    "name": Key(TEXT),
    "title": Key(TEXT),
    "budget_s": Key(POSITIVE),
    "max_rounds": Key(POSITIVE),
    "open_share": Key(FRACTION, default=0.4),
    "warmup_ms": Key(POSITIVE, default=100),
    "open_load": Key(FRACTION, default=0.5),
    "margin": Key(FRACTION, default=0.03),
    "steal_limit_percent": Key(PERCENT, default=30),
    "twins": Key(TEXTS, default=()),
    "arrivals": Key(one_of("poisson", "constant"), default="poisson"),
    "contestants": Key(TEXTS, default=()),
    "scenarios": Key(TEXTS, default=()),
    "open_scenarios": Key(TEXTS, default=()),
    "curve_scenarios": Key(TEXTS, default=()),
}
CLAIM_KEYS = {
    "name": Key(TEXT),
    "a": Key(TEXT),
    "b": Key(TEXT),
    "title": Key(TEXT),
    "headline": Key(FLAG, default=False),
}


def load_profiles(
    catalog_dir: Path, contestants: Iterable[str], scenarios: Iterable[str]
) -> dict[str, Profile]:
    """All profiles by name, in the order of the file. Raises CatalogError, also for a name that the catalog lacks."""
    path = catalog_dir / "profiles.toml"
    entries = read_entries(path, "profile", PROFILE_KEYS)
    for name, entry in entries.items():
        check_names(entry["contestants"], contestants, "contestant", f"{path}: profile {name}")
        for key in ("scenarios", "open_scenarios", "curve_scenarios"):
            check_names(entry[key], scenarios, "scenario", f"{path}: profile {name}")
    return {name: Profile(**_hashable(entry)) for name, entry in entries.items()}


def load_claims(catalog_dir: Path) -> tuple[Claim, ...]:
    """All claims in the order of the file. Raises CatalogError."""
    path = catalog_dir / "claims.toml"
    entries = read_entries(path, "claim", CLAIM_KEYS)
    return tuple(_claim(f"{path}: claim {name}", entry) for name, entry in entries.items())


def _hashable(entry: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()}


def _claim(where: str, entry: dict[str, Any]) -> Claim:
    if entry["a"] == entry["b"]:
        raise CatalogError(f"{where}: compares {entry['a']} with itself; name two contestants")
    return Claim(entry["a"], entry["b"], entry["title"], entry["headline"])

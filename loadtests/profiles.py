"""Profiles and claims as `catalog/profiles.toml` and `catalog/claims.toml` describe them."""

from pathlib import Path
from typing import Any

from loadtests.entries import FLAG, POSITIVE, TEXT, TEXTS, Key, Kind, one_of, read_entries
from loadtests.errors import CatalogError
from loadtests.plan import Claim, Profile


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


FRACTION = Kind("a fraction between 0 and 1", lambda value: _number(value) and 0 < value < 1)
PERCENT = Kind("a percentage up to 100", lambda value: _number(value) and 0 < value <= 100)

PROFILE_KEYS = {
    "name": Key(TEXT),
    "title": Key(TEXT),
    "budget_s": Key(POSITIVE),
    "max_rounds": Key(POSITIVE),
    "closed_blocks": Key(POSITIVE),
    "open_blocks": Key(POSITIVE),
    "warmup_ms": Key(POSITIVE, default=20),
    "open_load": Key(FRACTION, default=0.5),
    "margin": Key(FRACTION, default=0.03),
    "steal_limit_percent": Key(PERCENT, default=30),
    "twins": Key(TEXTS, default=()),
    "arrivals": Key(one_of("poisson", "constant"), default="poisson"),
}
CLAIM_KEYS = {
    "name": Key(TEXT),
    "a": Key(TEXT),
    "b": Key(TEXT),
    "title": Key(TEXT),
    "headline": Key(FLAG, default=False),
}


def load_profiles(catalog_dir: Path) -> dict[str, Profile]:
    """All profiles by name, in the order of the file. Raises CatalogError."""
    entries = read_entries(catalog_dir / "profiles.toml", "profile", PROFILE_KEYS)
    return {name: Profile(**{**entry, "twins": tuple(entry["twins"])}) for name, entry in entries.items()}


def load_claims(catalog_dir: Path) -> tuple[Claim, ...]:
    """All claims in the order of the file. Raises CatalogError."""
    path = catalog_dir / "claims.toml"
    entries = read_entries(path, "claim", CLAIM_KEYS)
    return tuple(_claim(f"{path}: claim {name}", entry) for name, entry in entries.items())


def _claim(where: str, entry: dict[str, Any]) -> Claim:
    if entry["a"] == entry["b"]:
        raise CatalogError(f"{where}: compares {entry['a']} with itself; name two contestants")
    return Claim(entry["a"], entry["b"], entry["title"], entry["headline"])

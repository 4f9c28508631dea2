"""The options of a command, checked against the catalog: the one place where names become records."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar, get_args

from loadtests.config.catalog import Catalog
from loadtests.config.contestants import Contestant
from loadtests.config.profiles import Claim, Design, Profile
from loadtests.config.scenarios import Scenario
from loadtests.errors import CatalogError, SuiteError

CATALOG = Path(__file__).parents[1] / "catalog"
DESIGNS: tuple[Design, ...] = get_args(Design)
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600}

Record = TypeVar("Record")


@dataclass(frozen=True, slots=True)
class Options:
    """What a user asks of a run. Empty lists and None mean the profile's own.

    precision: how far the headline intervals may reach, as a fraction of the ratio; None: as narrow as time allows.
    """

    profile: str = "quick"
    scenarios: tuple[str, ...] = ()
    contestants: tuple[str, ...] = ()
    budget_s: float | None = None
    precision: float | None = None
    design: Design = "paired"
    seed: int = 0
    results_dir: str = "results"
    catalog: str = str(CATALOG)


@dataclass(frozen=True, slots=True)
class Selection:
    """The same as records of the catalog."""

    profile: Profile
    scenarios: tuple[Scenario, ...]
    contestants: tuple[Contestant, ...]
    claims: tuple[Claim, ...]


def select(options: Options, catalog: Catalog | None = None) -> Selection:
    """The selected records; CatalogError names what does not exist and what does.

    catalog: where they are taken from; None: from the folder that the options name.
    """
    if options.seed < 0:
        raise SuiteError(f"a seed must be a whole number of at least 0, not {options.seed}")
    if options.design not in DESIGNS:
        raise SuiteError(f"a design must be one of {', '.join(DESIGNS)}, not {options.design!r}")
    known = catalog or Catalog(Path(options.catalog))
    profile = _chosen(known.profiles, (options.profile,), "profile")[0]
    if options.budget_s is not None:
        profile = replace(profile, budget_s=options.budget_s)
    chosen_scenarios = _chosen(known.scenarios, options.scenarios or profile.scenarios, "scenario")
    chosen = _chosen(known.contestants, options.contestants or profile.contestants, "contestant")
    answering = tuple(
        one for one in chosen if any(one.answers(scenario.name) for scenario in chosen_scenarios)
    )
    if not answering:
        raise CatalogError("none of these contestants answers any of these scenarios; see `sidebyside list`")
    return Selection(profile, chosen_scenarios, answering, _claims_on(answering, known.claims))


def _claims_on(contestants: Sequence[Contestant], claims: Sequence[Claim]) -> tuple[Claim, ...]:
    """The catalog's claims on what was chosen; the first two contestants where it has none."""
    names = {one.name for one in contestants}
    found = tuple(claim for claim in claims if {claim.a, claim.b} <= names)
    if found or len(contestants) < 2:
        return found
    a, b = contestants[:2]
    return (Claim(a.name, b.name, f"{a.title} against {b.title}"),)


def duration_s(text: str) -> float:
    """Seconds out of `90`, `90s`, `5m` or `1h`; SuiteError for anything else or nothing above zero."""
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)([smh]?)", text.strip())
    if not match or float(match[1]) == 0:
        raise SuiteError(f"a duration looks like 90s, 5m or 1h, not {text!r}")
    return float(match[1]) * _UNITS[match[2]]


def fraction(text: str) -> float:
    """0.02 out of `2%` or `2`; SuiteError for anything else or nothing above zero."""
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?) ?%?", text.strip())
    if not match or not 0 < float(match[1]) < 100:
        raise SuiteError(f"a precision looks like 2% or 0.5%, not {text!r}")
    return float(match[1]) / 100


def read_config(path: Path) -> dict[str, Any]:
    """The options in a `sidebyside.toml`, under [bench]; its keys are those of the command line."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SuiteError(f"{path}: cannot be read ({error.strerror})") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SuiteError(f"{path}: is not valid TOML ({error})") from error
    return _options_in(path, document)


def _options_in(path: Path, document: Mapping[str, Any]) -> dict[str, Any]:
    entry = document.get("bench", {})
    if not isinstance(entry, dict) or document.keys() - {"bench"}:
        raise SuiteError(f"{path}: put all options under [bench]")
    for key, value in entry.items():
        if key not in _CONFIG:
            raise SuiteError(f"{path}: {key!r} is unknown; the keys are {', '.join(_CONFIG)}")
        if not isinstance(value, _CONFIG[key]) or isinstance(value, bool):
            raise SuiteError(f"{path}: {key} = {value!r} has the wrong type; give {_KINDS[_CONFIG[key]]}")
    return {key: _as_option(path, key, value) for key, value in entry.items()}


_CONFIG: Mapping[str, type] = {
    "profile": str, "scenarios": list, "contestants": list, "budget": str, "precision": str, "design": str, "seed": int,
    "results_dir": str, "catalog": str,
}  # fmt: skip
_KINDS = {str: "a string", list: "a list of names", int: "a whole number"}


def _as_option(path: Path, key: str, value: Any) -> Any:
    if key == "catalog":
        return str(path.parent / value)
    return tuple(map(str, value)) if isinstance(value, list) else value


def _chosen(known: Mapping[str, Record], names: Sequence[str], kind: str) -> tuple[Record, ...]:
    for name in names:
        if name not in known:
            raise CatalogError(f"there is no {kind} {name!r}; there are {', '.join(known)}")
    return tuple(record for name, record in known.items() if not names or name in names)

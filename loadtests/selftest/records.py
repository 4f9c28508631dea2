"""What a selftest finds: one record per check, all of them together `selftest.json`."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scipy.special import bdtr, bdtrc, betaincinv  # scipy.stats would take a second to import

from loadtests.config import codec
from loadtests.errors import SuiteError
from loadtests.runs.folder import write_whole

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

FILE = "selftest.json"
SCHEMA_VERSION = 1
Figure = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Check:
    """One check. `ok` None: it could not be judged, and `summary` says why. `limit` says in words what is tested.

    figures: rows of one table, all with the same keys; values are numbers, texts, booleans or None.
    """

    name: str
    title: str
    limit: str
    ok: bool | None
    summary: str
    figures: tuple[Figure, ...] = ()


def as_figures(rows: Iterable["DataclassInstance"]) -> tuple[Figure, ...]:
    """The rows of a check's table, each a record of that check's own kind."""
    return tuple(asdict(row) for row in rows)


@dataclass(frozen=True, slots=True)
class Selftest:
    """All checks of one selftest. `status`: `partial` until the last check is in."""

    id: str
    started_at: str
    duration_s: float
    status: str
    seed: int
    machine: Mapping[str, str] = field(default_factory=dict)
    checks: tuple[Check, ...] = ()

    @property
    def ok(self) -> bool | None:
        """Whether all judged checks passed; None where none was judged."""
        judged = [one.ok for one in self.checks if one.ok is not None]
        return all(judged) if judged else None


def save(found: Selftest, folder: Path) -> None:
    """Writes `selftest.json`, whole or not at all."""
    write_whole(folder / FILE, {"schema_version": SCHEMA_VERSION, "ok": found.ok, **codec.to_document(found)})


def load(folder: Path) -> Selftest:
    """The selftest in a folder. SuiteError: there is none that can be read."""
    try:
        return codec.from_json(Selftest, (folder / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SuiteError(
            f"{folder}: holds no selftest that can be read; run `sidebyside selftest`"
        ) from error


def newest(results: Path) -> Path | None:
    """The folder of the newest selftest below a results folder; None without one."""
    return max(
        (path.parent for path in results.glob(f"selftest-*/{FILE}")), default=None, key=lambda one: one.name
    )


def share(hits: int, of: int) -> str:
    """`3 of 40 (7.5 %, 95 % interval 1.6 to 20.4 %)`: Clopper and Pearson 1934."""
    if of == 0:
        return "0 of 0"
    low = betaincinv(hits, of - hits + 1, 0.025) if hits else 0.0
    high = betaincinv(hits + 1, of - hits, 0.975) if hits < of else 1.0
    return f"{hits} of {of} ({100 * hits / of:.1f} %, 95 % interval {100 * low:.1f} to {100 * high:.1f} %)"


def at_most(hits: int, of: int, limit: float) -> bool | None:
    """Whether so many hits fit a true share of `limit` or less: one-sided binomial test at 5 %; None without any."""
    if of == 0:
        return None
    so_many = float(bdtrc(hits - 1, of, limit)) if hits else 1.0
    return so_many >= 0.05


def at_least(hits: int, of: int, limit: float) -> bool | None:
    """Whether so many hits fit a true share of `limit` or more: one-sided binomial test at 5 %; None without any."""
    return float(bdtr(hits, of, limit)) >= 0.05 if of else None


def counted(values: Sequence[bool]) -> tuple[int, int]:
    """How many are true, and how many there are."""
    return sum(values), len(values)

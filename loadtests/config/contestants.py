"""Contestants: the servers that a run can start, as `catalog/contestants.toml` describes them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from loadtests.config.entries import (
    FLAG,
    POSITIVE,
    TEXT,
    TEXT_TABLE,
    TEXTS,
    Key,
    check_names,
    one_of,
    read_entries,
)
from loadtests.config.scenarios import Scenario, load_scenarios
from loadtests.errors import CatalogError

KEYS = {
    "name": Key(TEXT),
    "title": Key(TEXT),
    "framework": Key(TEXT, default=""),
    "gateway": Key(one_of("wsgi", "asgi"), default=None),
    "command": Key(TEXTS),
    "environment": Key(TEXT_TABLE, default={}),
    "workers": Key(POSITIVE, default=1),
    "keep_alive": Key(FLAG, default=True),
    "scenarios": Key(TEXTS, default=None),
    "needs_database": Key(FLAG, default=True),
    "websockets": Key(FLAG, default=True),
}


@dataclass(frozen=True, slots=True)
class Contestant:
    """One server and the application it serves.

    command: argv in which `{python}`, `{port}`, `{workers}` and `{shm}` are filled in at launch.
    keep_alive: whether the server keeps a connection open between requests.
    scenarios: the only scenarios it answers; None means all of them.
    workers: how many of its processes answer requests.
    websockets: whether it carries them; one that does not answers no scenario of that kind.
    twin_of: of a second launch, the name of the contestant that it is measured against; None of any other.
    """

    name: str
    title: str
    framework: str
    gateway: str | None
    command: tuple[str, ...]
    environment: Mapping[str, str]
    keep_alive: bool
    scenarios: tuple[str, ...] | None
    needs_database: bool
    workers: int = 1
    websockets: bool = True
    twin_of: str | None = None

    def answers(self, scenario: str) -> bool:
        """Whether it can be asked for that scenario."""
        return self.scenarios is None or scenario in self.scenarios


def twin_name(name: str) -> str:
    """What a second launch of that contestant is called: `flask-gthread#2`."""
    return f"{name}#2"


def original_name(name: str) -> str:
    """Whose second launch that is; the name itself where it is none."""
    return name.partition("#")[0]


def twin(one: Contestant) -> Contestant:
    """A second launch of the contestant."""
    return replace(one, name=twin_name(one.name), twin_of=one.name)


def load_contestants(
    catalog_dir: Path, scenarios: Mapping[str, Scenario] | None = None
) -> dict[str, Contestant]:
    """All contestants by name, in the order of the file. Raises CatalogError.

    scenarios: those of the same catalog, where they have been read already.
    """
    path = catalog_dir / "contestants.toml"
    known = load_scenarios(catalog_dir) if scenarios is None else scenarios
    contestants = {}
    for name, entry in read_entries(path, "contestant", KEYS).items():
        where = f"{path}: contestant {name}"
        _check(entry["name"], entry["command"], where)
        check_names(entry["scenarios"] or (), known, "scenario", where)
        answered = _answered(entry["scenarios"], known, websockets=entry["websockets"])
        contestants[name] = Contestant(**{**entry, "command": tuple(entry["command"]), "scenarios": answered})
    return contestants


def _answered(
    listed: list[str] | None, known: Mapping[str, Scenario], *, websockets: bool
) -> tuple[str, ...] | None:
    """The only scenarios that a contestant answers, None for all of them."""
    names = listed if listed is not None or websockets else list(known)
    if names is None:
        return None
    return tuple(name for name in names if websockets or known[name].kind != "websocket")


def _check(name: str, command: list[str], where: str) -> None:
    if "#" in name:
        raise CatalogError(f"{where}: '#' marks a second launch; choose a name without it")
    if not any("{port}" in word for word in command):
        raise CatalogError(f"{where}: command has no {{port}}; put it where the server takes its port")

"""Reading a catalog file: every entry is checked against its keys before anything is built from it."""

import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loadtests.errors import CatalogError

REQUIRED: Any = object()


@dataclass(frozen=True, slots=True)
class Kind:
    """A type of TOML value: its name in messages, and the test for it."""

    title: str
    holds: Callable[[Any], bool]


@dataclass(frozen=True, slots=True)
class Key:
    """One key of an entry: the kind of its value, and the default that makes it optional."""

    kind: Kind
    default: Any = REQUIRED


TEXT = Kind("a non-empty string", lambda value: isinstance(value, str) and value != "")
FLAG = Kind("true or false", lambda value: isinstance(value, bool))
POSITIVE = Kind("a whole number above 0", lambda value: type(value) is int and value > 0)
TEXTS = Kind("a list of strings", lambda value: isinstance(value, list) and all(map(TEXT.holds, value)))
TEXT_TABLE = Kind(
    "a table of strings", lambda value: isinstance(value, dict) and all(map(TEXT.holds, value.values()))
)
TABLES = Kind(
    "a list of tables, not empty",
    lambda value: isinstance(value, list) and value != [] and all(isinstance(one, dict) for one in value),
)


def one_of(*choices: str) -> Kind:
    """The kind of a string that is one of the choices."""
    return Kind("one of " + ", ".join(choices), lambda value: isinstance(value, str) and value in choices)


def read_entries(path: Path, table: str, keys: Mapping[str, Key]) -> dict[str, dict[str, Any]]:
    """The entries `[[table]]` of a TOML file by name, complete with defaults. Raises CatalogError."""
    document = _parse(path)
    for other in sorted(document.keys() - {table}):
        raise CatalogError(f"{path}: unknown table {other!r}; entries are written as [[{table}]]")
    rows = document.get(table, [])
    if not TABLES.holds(rows):
        raise CatalogError(f"{path}: no entries; write at least one as [[{table}]]")
    entries: dict[str, dict[str, Any]] = {}
    for number, row in enumerate(rows, start=1):
        entry = checked(row, keys, f"{path}: {table} {row.get('name', f'number {number}')}")
        if entry["name"] in entries:
            raise CatalogError(f"{path}: {table} {entry['name']}: the name is used twice; rename one")
        entries[entry["name"]] = entry
    return entries


def checked(row: Mapping[str, Any], keys: Mapping[str, Key], where: str) -> dict[str, Any]:
    """The row with its defaults filled in. Raises CatalogError, opened by `where`, if a key is wrong."""
    for name in sorted(row.keys() - keys.keys()):
        raise CatalogError(f"{where}: unknown key {name!r}; the keys are {', '.join(keys)}")
    return {name: _value(row, name, key, where) for name, key in keys.items()}


def check_names(names: Iterable[str], known: Iterable[str], kind: str, where: str) -> None:
    """Raises CatalogError, opened by `where`, for the first name that is not known."""
    there = list(known)
    for name in names:
        if name not in there:
            raise CatalogError(f"{where}: no {kind} {name!r}; there are {', '.join(there)}")


def _value(row: Mapping[str, Any], name: str, key: Key, where: str) -> Any:
    if name in row and not key.kind.holds(row[name]):
        raise CatalogError(f"{where}: {name} is {row[name]!r}; make it {key.kind.title}")
    value = row.get(name, key.default)
    if value is REQUIRED:
        raise CatalogError(f"{where}: {name} is missing; add {name}, {key.kind.title}")
    return value


def _parse(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CatalogError(f"{path}: cannot be read ({error.strerror}); create the file") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CatalogError(f"{path}: is not valid TOML: {error}; fix that line") from error

"""Folders below results/: always a fresh one, and which command left a folder."""

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from loadtests.errors import SuiteError

FILE = "run.json"


def dated_folder(results: Path, at: datetime, kind: str) -> Path:
    """A new folder named for the moment and the kind of run. SuiteError: nothing can be written there."""
    return fresh_folder(results, f"{at:%Y%m%d-%H%M%S}-{kind}")


def fresh_folder(results: Path, stem: str) -> Path:
    """A new folder of that name, with a number appended if it exists. SuiteError: nothing can be written there."""
    try:
        results.mkdir(parents=True, exist_ok=True)
        for suffix in ("", *(f"-{number}" for number in range(2, 100))):
            folder = results / f"{stem}{suffix}"
            if not folder.exists():
                folder.mkdir()
                return folder
    except OSError as error:
        raise SuiteError(
            f"{results}: nothing can be written there ({error.strerror}); choose another --results-dir"
        ) from error
    raise SuiteError(f"{results}: a hundred runs began in this second; try again")


def write_whole(path: Path, document: Mapping[str, Any]) -> None:
    """Writes a JSON object, whole or not at all; a NaN in it raises ValueError."""
    partial = path.with_name(f"{path.name}.partial")
    partial.write_text(
        json.dumps(document, indent=2, allow_nan=False, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    partial.replace(path)


def kind_of(folder: Path) -> str:
    """`bench`, `capacity` or `selftest`: the command whose results are in a folder. SuiteError: none."""
    if (folder / "selftest.json").exists():
        return "selftest"
    try:
        return str(json.loads((folder / FILE).read_text(encoding="utf-8")).get("kind", "bench"))
    except (OSError, AttributeError, ValueError) as error:
        raise SuiteError(f"{folder}: holds no run that can be read; give a folder below results/") from error


def stamp(at: datetime) -> str:
    """A moment as ISO 8601 to the second, with its zone."""
    return at.isoformat(timespec="seconds")

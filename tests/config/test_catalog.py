"""A catalog: four files of a folder, each of them read once."""

from collections import Counter
from pathlib import Path

import pytest

from loadtests.config.catalog import Catalog
from loadtests.config.selection import CATALOG, Options, select


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each file has been read so far."""
    counted: Counter[str] = Counter()
    read_text = Path.read_text

    def counting(path: Path, *arguments: str, **options: str) -> str:
        counted[path.name] += 1
        return read_text(path, *arguments, **options)

    monkeypatch.setattr(Path, "read_text", counting)
    return counted


def test_a_command_reads_every_file_once(reads: Counter[str]) -> None:
    catalog = Catalog(CATALOG)

    for profile in ("quick", "standard", "thorough"):
        select(Options(profile=profile), catalog)

    assert reads == dict.fromkeys(("contestants.toml", "scenarios.toml", "profiles.toml", "claims.toml"), 1)


def test_a_file_that_nobody_asks_for_may_be_missing(tmp_path: Path) -> None:
    (tmp_path / "scenarios.toml").write_text((CATALOG / "scenarios.toml").read_text(encoding="utf-8"))

    assert "ping" in Catalog(tmp_path).scenarios

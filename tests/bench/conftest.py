"""A run that was cut short, to be gone on with."""

import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from loadtests.config.selection import CATALOG
from tests.support.interrupted import FLOORS, TWO_ROUNDS, Cut, cut


@pytest.fixture(scope="session")
def first_cut(tmp_path_factory: pytest.TempPathFactory) -> Cut:
    """A run that was interrupted from the keyboard; the others are copies of it that were gone on with."""
    folder = tmp_path_factory.mktemp("first")
    catalog = shutil.copytree(CATALOG, folder / "catalog")
    with (catalog / "profiles.toml").open("a", encoding="utf-8") as profiles:
        profiles.write(TWO_ROUNDS)
    config = folder / "sidebyside.toml"
    config.write_text('[bench]\ncatalog = "catalog"\nprofile = "two-rounds"\nseed = 7\n', encoding="utf-8")
    arguments = ("bench", *FLOORS, "--config", str(config), "--results-dir", str(folder / "results"))
    return cut(lambda process, _: process.send_signal(signal.SIGINT), *arguments)


@pytest.fixture
def begun_run(first_cut: Cut, tmp_path: Path) -> Path:
    """The folder of a run with one finished round."""
    return shutil.copytree(first_cut.folder, tmp_path / first_cut.folder.name)


@pytest.fixture
def temporary(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A temporary folder of the test's own; its path is short, as that of a socket must be."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # PostgreSQL runs as another user where this is root
        monkeypatch.setenv("TMPDIR", folder)
        yield Path(folder)

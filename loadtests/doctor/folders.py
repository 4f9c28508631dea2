"""Whether files can be written to a folder, and how much room there is."""

import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from loadtests.machine.kernel import MIB


def folder_error(folder: Path) -> str | None:
    """Why no file can be made in the folder, or where it would be made; None when one can. Nothing stays behind."""
    try:
        tempfile.TemporaryFile(dir=nearest(folder)).close()
    except OSError as error:
        return error.strerror or str(error)
    return None


def disk_free_mib(folder: Path) -> float | None:
    """What the disk below the folder, or below where it would be made, still holds."""
    with suppress(OSError):
        return shutil.disk_usage(nearest(folder)).free / MIB
    return None


def nearest(folder: Path) -> Path:
    """The folder itself, or the closest above it that exists."""
    return next(one for one in (folder.absolute(), *folder.absolute().parents) if one.exists())

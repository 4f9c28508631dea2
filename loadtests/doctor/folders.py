"""Whether files can be written to a folder, and how much room there is."""

import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from loadtests.machine.kernel import MIB


def folder_error(folder: Path) -> str | None:
    """Why no file can be created in the folder, or in its nearest existing parent; None if one can. Leaves nothing."""
    try:
        tempfile.TemporaryFile(dir=nearest(folder)).close()
    except OSError as error:
        return error.strerror or str(error)
    return None


def disk_free_mib(folder: Path) -> float | None:
    """Free space on the disk of the folder, or of its nearest existing parent."""
    with suppress(OSError):
        return shutil.disk_usage(nearest(folder)).free / MIB
    return None


def nearest(folder: Path) -> Path:
    """The folder itself, or the closest above it that exists."""
    return next(one for one in (folder.absolute(), *folder.absolute().parents) if one.exists())

"""What all commands share: the program, its consoles, its temporary folder, and the handling of errors and signals."""

import errno
import fcntl
import json
import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Annotated, NoReturn

import typer
from rich.console import Console

from loadtests.errors import SuiteError
from loadtests.samples.store import RunStore

app = typer.Typer(
    name="sidebyside",
    help="Flask or FastAPI? Two identical shop APIs under the same load, and a verdict you can defend.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
CatalogOption = Annotated[
    Path | None,
    typer.Option(
        "--catalog",
        resolve_path=True,
        help="Folder of your own catalog: an edited copy of the suite's.",
    ),
]
out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

PREFIX = "sidebyside-run-"
DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Stopped(BaseException):
    """SIGINT or SIGTERM: everything that was started ends, then this program. The text says how to continue."""


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Turns an error that the user can fix into one line and exit code 2, an interruption into 130.

    Temporary files are removed at the end; those of a killed command when the next one begins.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    try:
        with _own_temporary_folder():
            yield
    except Stopped as stop:
        err.print("; ".join(["sidebyside: stopped", *map(str, stop.args)]), soft_wrap=True, markup=False)
        raise typer.Exit(130) from None
    except Exception as error:
        if (line := fixable_message(error)) is None:
            raise
        err.print(f"sidebyside: {line}", soft_wrap=True, markup=False, style="red")
        raise typer.Exit(2) from None


def fixable_message(error: Exception) -> str | None:
    """The one line for an error that the user can fix; None for any other, which is a bug of this program.

    A full disk is recognised by its text: each library wraps it in an error of its own.
    """
    if isinstance(error, SuiteError):
        return str(error)
    full = [text for text in map(os.strerror, DISK_FULL) if text in str(error)]
    return f"the disk is full ({full[0]}): make room" if full else None


@contextmanager
def resumable(folder: Path, command: str, report: Callable[[Path], object]) -> Iterator[None]:
    """Adds to the line of an error or an interruption how to continue the run in the folder."""
    try:
        yield
    except Stopped:
        raise Stopped(how_to_continue(folder, command, report)) from None
    except Exception as error:
        if (line := fixable_message(error)) is None:
            raise
        raise SuiteError(f"{line}; {how_to_continue(folder, command, report)}") from error


def how_to_continue(folder: Path, command: str, report: Callable[[Path], object]) -> str:
    """How to continue an interrupted run. Its half-written files are removed, its finished rounds reported on.

    If the disk has no room for the report, it can be written later.
    """
    for partial in folder.rglob("*.partial"):
        partial.unlink()
    if finished := RunStore(folder).finished_rounds():
        try:
            report(folder)
        except Exception as error:
            if fixable_message(error) is None:
                raise
    if json.loads((folder / "run.json").read_text(encoding="utf-8"))["status"] == "complete":
        return f"all rounds are kept; write the report with: sidebyside report {folder}"
    kept = f"{finished or 'no'} finished round{'' if finished == 1 else 's'} kept"
    return f"{kept}; continue with: sidebyside {command} --resume {folder}"


@contextmanager
def _own_temporary_folder() -> Iterator[None]:
    """Has all temporary files go into one folder, and removes the folders of commands that were killed.

    The owner locks its folder, and the kernel unlocks it however the owner ends. A folder gets the name by which it is
    looked for only once it is locked.
    """
    base = Path(tempfile.gettempdir())
    _remove_abandoned(base)
    unlocked = Path(tempfile.mkdtemp(prefix=f".{PREFIX}"))
    folder = base / unlocked.name[1:]
    lock = os.open(unlocked, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        unlocked.chmod(0o755)  # PostgreSQL runs as another user when this is root
        unlocked.rename(folder)
        tempfile.tempdir = str(folder)
        yield
    finally:
        tempfile.tempdir = str(base)
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _remove_abandoned(base: Path) -> None:
    for folder in base.glob(f"{PREFIX}*"):
        with suppress(OSError):
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(lock)


def _stop(_number: int, _frame: FrameType | None) -> NoReturn:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # a second signal must not interrupt the clean-up
    raise Stopped

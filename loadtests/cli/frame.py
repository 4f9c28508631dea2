"""What all commands share: the program, its two consoles, and what becomes of errors and signals."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

import typer
from rich.console import Console

from loadtests.errors import SuiteError

app = typer.Typer(
    name="sidebyside",
    help="Flask or FastAPI? Two identical shop APIs under the same load, and a verdict you can defend.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


class Stopped(BaseException):
    """SIGINT or SIGTERM came in: everything that was started ends, then this program."""


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Turns what the user can mend into one line and exit code 2, an interruption into 130."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    try:
        yield
    except SuiteError as error:
        err.print(f"sidebyside: {error}", soft_wrap=True, markup=False, style="red")
        raise typer.Exit(2) from None
    except Stopped:
        err.print("sidebyside: stopped", soft_wrap=True)
        raise typer.Exit(130) from None


def _stop(_number: int, _frame: FrameType | None) -> NoReturn:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # a second one must not cut the clearing up short
    raise Stopped

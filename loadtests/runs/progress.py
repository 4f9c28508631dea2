"""Progress on the terminal: what is being measured, and how long it will take at most."""

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn


class BudgetBar:
    """A bar over the seconds of a budget, on standard error while the block lasts, if that is a terminal."""

    def __init__(self, console: Console, budget_s: float, elapsed_s: float) -> None:
        self.console = console
        self.began = time.monotonic() - elapsed_s
        self.budget_s = budget_s
        self.text = "starting PostgreSQL and Redis"
        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TaskProgressColumn(),
            TextColumn("{task.fields[left]}"),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self.task = self.bar.add_task(self.text, total=None, left="")

    def __enter__(self) -> Self:
        self.bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.bar.stop()

    def show(self, text: str) -> None:
        """Moves the bar to the elapsed time, with this text next to it."""
        elapsed_s = min(time.monotonic() - self.began, self.budget_s)
        self.bar.update(
            self.task, description=f"{text:<56}", total=self.budget_s, completed=elapsed_s, left=self.left()
        )

    def left(self) -> str:
        """How much time is left at most."""
        left_s = max(0.0, self.budget_s - (time.monotonic() - self.began))
        minutes, seconds = divmod(int(left_s), 60)
        return f"at most {minutes}:{seconds:02d} left"

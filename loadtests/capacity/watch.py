"""Progress of a capacity run on the terminal: which rate is being tried, and how long it will take at most."""

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from loadtests.assignment import Progress as SliceDone
from loadtests.budget import REPORT_S
from loadtests.capacity.aim import Aim
from loadtests.stats import MIN_ROUNDS


class TerminalWatch:
    """A bar on standard error while the block lasts; where that is no terminal, one line a round instead."""

    def __init__(self, console: Console, budget_s: float, elapsed_s: float = 0.0) -> None:
        self.console = console
        self.began = time.monotonic() - elapsed_s
        self.budget_s = budget_s
        self.text = "starting PostgreSQL and Redis"
        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TaskProgressColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self.task = self.bar.add_task(self.text, total=budget_s)

    def __enter__(self) -> Self:
        self.bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.bar.stop()

    def stage_set(self, aim: Aim) -> None:
        """Says what will be searched, and whether the budget will do for an interval."""
        told = [
            f"{len(aim.searches)} searches a round, {self.budget_s / 60:.1f} minutes at most",
            f"p99 under {aim.slo_ms:g} ms, steps of {aim.step_s:g} s, a round of about {aim.round_s:.0f} s",
            "stop it any time, finished rounds are kept",
        ]
        self.console.print("; ".join(told), highlight=False, soft_wrap=True)
        if MIN_ROUNDS * aim.round_s + REPORT_S > self.budget_s:
            enough = f"{(MIN_ROUNDS + 1) * aim.round_s / 60:.0f}m"
            told_few = (
                f"fewer than {MIN_ROUNDS} rounds will fit, hence no interval; for one, give --budget {enough}"
            )
            self.console.print(told_few, style="yellow", soft_wrap=True)

    def round_begins(self, number: int) -> None:
        """A line where there is no bar."""
        self.text = f"round {number}"
        self._show(f"{self.text}: launching servers")
        if not self.console.is_terminal:
            self.console.print(self.text, highlight=False)

    def slice_done(self, progress: SliceDone) -> None:
        """Moves the bar."""
        rate = "closed loop" if progress.rate_rps is None else f"{progress.rate_rps:.0f}/s"
        self._show(f"{self.text}: {progress.scenario} on {progress.contestant}, {rate}")

    def _show(self, text: str) -> None:
        elapsed_s = min(time.monotonic() - self.began, self.budget_s)
        self.bar.update(self.task, description=f"{text:<56}", completed=elapsed_s)

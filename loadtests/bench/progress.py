"""Progress of a bench on the terminal: what is being measured, and how long it will take at most."""

from rich.console import Console

from loadtests.bench.record import BenchRun
from loadtests.load.protocol import SliceDone
from loadtests.plan.rounds import Round
from loadtests.report import words
from loadtests.runs.progress import BudgetBar


class BenchProgress(BudgetBar):
    """The progress of a bench; where there is no bar, one line per round."""

    def __init__(self, console: Console, run: BenchRun) -> None:
        super().__init__(console, run.plan.profile.budget_s, run.elapsed_s)
        self.plan = run.plan

    def services_ready(self) -> None:
        """Says what will be measured, and for how long."""
        servers = sum(one.twin_of is None for one in self.plan.contestants)
        self.console.print(
            f"{words.count(len(self.plan.scenarios), 'scenario')}, {words.count(servers, 'contestant')},"
            f" {self.budget_s / 60:.1f} minutes at most; stop it any time, finished rounds are kept",
            highlight=False,
            soft_wrap=True,
        )

    def round_begins(self, round_: Round) -> None:
        """A line where there is no bar."""
        self.text = f"round {round_.index + 1}"
        self.show(f"{self.text}: launching servers")
        if not self.console.is_terminal:
            self.console.print(f"{self.text}: {len(round_.slices)} slices, {self.left()}", highlight=False)

    def slice_done(self, progress: SliceDone) -> None:
        """Moves the bar."""
        self.show(f"{self.text}: {progress.scenario} on {progress.contestant}")

"""Progress of a bench on the terminal: what is being measured, and how long it will take at most."""

from loadtests.load.protocol import Progress as SliceDone
from loadtests.plan.rounds import Plan
from loadtests.report import words
from loadtests.runs.progress import BudgetBar


class TerminalWatch(BudgetBar):
    """The progress of a bench; where there is no bar, one line a round."""

    def stage_set(self, plan: Plan) -> None:
        """Says what will be measured, and for how long."""
        self.budget_s = plan.profile.budget_s
        self.console.print(
            f"{words.count(len(plan.scenarios), 'scenario')}, {words.count(len(plan.contestants), 'contestant')},"
            f" {self.budget_s / 60:.1f} minutes at most; stop it any time, finished rounds are kept",
            highlight=False,
            soft_wrap=True,
        )

    def round_begins(self, number: int, slices: int) -> None:
        """A line where there is no bar."""
        self.text = f"round {number}"
        self.show(f"{self.text}: launching servers")
        if not self.console.is_terminal:
            self.console.print(f"{self.text}: {slices} slices, {self.left()}", highlight=False)

    def slice_done(self, progress: SliceDone) -> None:
        """Moves the bar."""
        self.show(f"{self.text}: {progress.scenario} on {progress.contestant}")

"""Progress of a capacity run on the terminal: which rate is being tried, and how long it will take at most."""

from loadtests.analysis.estimates import MIN_ROUNDS
from loadtests.capacity.request import Aim
from loadtests.load.protocol import Progress
from loadtests.plan.budget import REPORT_S
from loadtests.runs.progress import BudgetBar


class SearchWatch(BudgetBar):
    """The progress of a capacity run; where there is no bar, one line a round."""

    def stage_set(self, aim: Aim) -> None:
        """Says what will be searched, and whether the budget will do for an interval."""
        self.budget_s = aim.budget_s
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
        self.show(f"{self.text}: launching servers")
        if not self.console.is_terminal:
            self.console.print(f"{self.text}: {self.left()}", highlight=False)

    def slice_done(self, progress: Progress) -> None:
        """Moves the bar."""
        rate = "closed loop" if progress.rate_rps is None else f"{progress.rate_rps:.0f}/s"
        self.show(f"{self.text}: {progress.scenario} on {progress.contestant}, {rate}")

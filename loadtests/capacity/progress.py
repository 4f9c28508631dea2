"""Progress of a capacity run on the terminal: which rate is being tried, and how long it will take at most."""

from rich.console import Console

from loadtests.analysis.estimates import MIN_ROUNDS
from loadtests.capacity.record import CapacityRun
from loadtests.capacity.request import longest_round_s, round_s
from loadtests.load.protocol import SliceDone
from loadtests.plan.budget import REPORT_S
from loadtests.plan.rounds import Round
from loadtests.plan.search import Search
from loadtests.runs.progress import BudgetBar


class CapacityProgress(BudgetBar):
    """The progress of a capacity run; where there is no bar, one line per round."""

    def __init__(self, console: Console, run: CapacityRun) -> None:
        super().__init__(console, run.request.budget_s, run.elapsed_s)
        self.run = run

    def services_ready(self) -> None:
        """Says what will be searched, and whether the budget is enough for an interval."""
        each_s, longest_s = round_s(self.run.searches), longest_round_s(self.run.searches)
        rules = self.run.rules
        lines = [
            f"{len(self.run.searches)} searches per round, {self.budget_s / 60:.1f} minutes at most",
            f"p99 under {rules.slo_ms:g} ms, steps of {rules.step_s:g} s, a round of about {each_s:.0f} s",
            *_for_pauses(rules, longest_s),
            "stop it any time, finished rounds are kept",
        ]
        self.console.print("; ".join(lines), highlight=False, soft_wrap=True)
        if MIN_ROUNDS * each_s + REPORT_S > self.budget_s:
            enough = f"{(MIN_ROUNDS + 1) * each_s / 60:.0f}m"
            warning = (
                f"fewer than {MIN_ROUNDS} rounds will fit, hence no interval; for one, give --budget {enough}"
            )
            self.console.print(warning, style="yellow", soft_wrap=True)

    def round_begins(self, round_: Round) -> None:
        """A line where there is no bar."""
        self.text = f"round {round_.index + 1}"
        self.show(f"{self.text}: launching servers")
        if not self.console.is_terminal:
            self.console.print(f"{self.text}: {self.left()}", highlight=False)

    def slice_done(self, progress: SliceDone) -> None:
        """Moves the bar."""
        rate = "closed loop" if progress.rate_rps is None else f"{progress.rate_rps:.0f}/s"
        self.show(f"{self.text}: {progress.scenario} on {progress.contestant}, {rate}")


def _for_pauses(rules: Search, longest_s: float) -> list[str]:
    if not rules.pauses or rules.pause_limit_s <= rules.step_s:
        return []
    what_for = f"where a server pauses for garbage collections, so that a step spans {rules.pauses} of them"
    return [f"up to {rules.pause_limit_s:g} s and {longest_s:.0f} s {what_for}"]

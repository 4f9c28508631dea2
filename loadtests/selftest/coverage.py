"""Coverage by simulation: runs drawn with the noise that this selftest measured, and their intervals."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from loadtests.analysis.digest import digest
from loadtests.analysis.simulate import NoiseModel, coverage, drawn, estimated_noise
from loadtests.config.contestants import twin_name
from loadtests.runs.paired_study import NO_LIMIT_PERCENT, log_ratios
from loadtests.selftest.records import Check, as_figures
from loadtests.selftest.setting import Setting

RUNS = 4000
SIZES = ((3, 8), (6, 8), (6, 25), (20, 8))
LOW, HIGH = 0.93, 0.97


@dataclass(frozen=True, slots=True)
class Row:
    """Runs of one size, drawn with the noise of one server."""

    noise_of: str
    launch_percent: float
    block_percent: float
    correlation: float
    rounds: int
    blocks: int
    coverage_percent: float


def check(setting: Setting) -> Check:
    """For each headline contestant against itself: its noise, and the coverage of runs of several sizes."""
    setting.on_step("coverage by simulation")
    digest_ = digest(setting.store("itself").rounds(), NO_LIMIT_PERCENT, 1)
    noises = {
        one.name: estimated_noise(log_ratios(digest_, one.name, twin_name(one.name)))
        for one in setting.headliners
    }
    return judged([_row(name, noise, *size) for name, noise in noises.items() for size in SIZES])


def _row(name: str, noise: NoiseModel, rounds: int, blocks: int) -> Row:
    rng = np.random.default_rng((1, rounds, blocks))
    covered = coverage(drawn(rng, RUNS, rounds, blocks, noise))
    return Row(name, 100 * noise.launch, 100 * noise.block, noise.correlation, rounds, blocks, 100 * covered)


def judged(rows: Sequence[Row]) -> Check:
    """All coverages within the limits."""
    found = [one.coverage_percent for one in rows]
    return Check(
        name="coverage",
        title="Coverage by simulation",
        limit=f"95 % intervals hold the truth in {LOW:.0%} to {HIGH:.0%} of {RUNS} drawn runs",
        ok=all(100 * LOW <= one <= 100 * HIGH for one in found) if found else None,
        summary=f"{min(found):.1f} to {max(found):.1f} % with noise as measured here" if found else "",
        figures=as_figures(rows),
    )

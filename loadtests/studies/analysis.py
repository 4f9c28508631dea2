"""How long and in how much memory a large run is analysed: made-up samples of ten million requests.

Run as `make analysis`, or with another number of requests: `make analysis ARGS=1e6`.
"""

import resource
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import polars as pl
from numpy.random import Generator

from loadtests.analysis.digest import digest
from loadtests.analysis.summary import RunInfo
from loadtests.analysis.verdict import summarise
from loadtests.config.profiles import Claim
from loadtests.report.files import write_report
from loadtests.samples.store import REQUESTS, SERVERS, SLICES, Measurement, RunStore, conform

ROUNDS, A_SLICE = 20, 1000
NAMES = ("a", "b", "c", "d", "e")
SCENARIOS = ("read", "list", "write")


def measured(rng: Generator, index: int, count: int) -> Measurement:
    """A round of so many requests, A_SLICE to a slice, half of the slices closed."""
    slices = [_slice(index, place) for place in range(count // A_SLICE)]
    due_ns = np.sort(rng.integers(0, 10**8, (len(slices), A_SLICE))) + 10**9 * np.arange(len(slices))[:, None]
    sent_ns = due_ns + rng.integers(0, 10**5, due_ns.shape)
    requests = pl.DataFrame(
        {
            "slice": np.repeat(np.arange(len(slices)), A_SLICE),
            "due_ns": due_ns.ravel(),
            "sent_ns": sent_ns.ravel(),
            "end_ns": (sent_ns + rng.exponential(2e6, due_ns.shape).astype(np.int64)).ravel(),
            "variant": rng.integers(0, 512, due_ns.size),
        }
    ).with_columns(status=200, bytes=300, body_bytes=100, failure=0)
    servers = [(name, 50_000, 1.0, "serve", 1, 45_000) for name in NAMES]
    return Measurement(
        conform(requests, REQUESTS),
        conform(pl.DataFrame(slices), SLICES),
        pl.DataFrame(servers, schema=dict(SERVERS), orient="row"),
    )


def _slice(index: int, place: int) -> dict[str, object]:
    start_ns = place * 10**9
    return {
        "round": index,
        "slice": place,
        "block": place // (2 * len(NAMES) * len(SCENARIOS)),
        "scenario": SCENARIOS[place // (2 * len(NAMES)) % len(SCENARIOS)],
        "contestant": NAMES[place // 2 % len(NAMES)],
        "mode": ("closed", "open")[place % 2],
        "rate_rps": None,
        "concurrency": 16,
        "start_ns": start_ns,
        "stop_ns": start_ns + 10**8,
        "drained_ns": start_ns + 12 * 10**7,
        "warmup_ns": 2 * 10**7,
        "warmup_requests": 0,
        "client_requests": A_SLICE,
        "server_requests": A_SLICE,
        "connections": 0,
        "server_cpu_ns": 10**8 + place,
        "generator_cpu_ns": 10**7,
        "steal_ms": 0.0,
        "planned_requests": A_SLICE,
    }


def analyse(store: RunStore) -> None:
    """From the samples on disk to the pages of the report."""
    run = RunInfo(
        id="made-up",
        status="complete",
        profile="none",
        seed=0,
        started_at="2025-01-01T00:00:00+00:00",
        finished_at=None,
        duration_s=3600.0,
        contestants={name: name for name in NAMES},
        scenarios={name: name for name in SCENARIOS},
        claims=(Claim("a", "b", "made-up servers", headline=True),),
    )
    known = digest(store.rounds(), run.steal_limit_percent, run.cpus)
    write_report(summarise(known, run), known, store.folder)


def main(count: int) -> None:
    """Prints seconds and the most memory that was used; making the samples needs little of it."""
    rng = np.random.default_rng(0)
    with TemporaryDirectory(prefix="sidebyside-") as folder:
        store = RunStore(Path(folder))
        for index in range(ROUNDS):
            store.save_round(index, measured(rng, index, count // ROUNDS))
        began, cpu_s = time.monotonic(), time.process_time()
        analyse(store)
        took_s, cpu_s = time.monotonic() - began, time.process_time() - cpu_s
    most_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(
        f"{count:,} requests: report written in {took_s:.1f} s ({cpu_s:.1f} s of CPU time),"
        f" {most_mib:,.0f} MiB at most\n"
    )


if __name__ == "__main__":
    main(int(float(sys.argv[1])) if len(sys.argv) > 1 else 10_000_000)

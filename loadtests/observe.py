"""Raw samples -> observations: one value per scenario, contestant, metric, round and block.

An observation frame has the columns scenario, contestant, metric, round, block, value and samples. `value`
is null where the round's pool holds too few samples for the percentile; `samples` is the size of that pool.
Metrics that are taken once a round have block 0.
"""

import polars as pl

from loadtests.metrics import PERCENTILES
from loadtests.samples import Failure, Samples

CELL = ["scenario", "contestant"]
COLUMNS = [*CELL, "metric", "round", "block", "value", "samples"]

_ANSWERED = pl.col("failure") == Failure.NONE
_NS_PER_MS = 1_000_000


def observe(samples: Samples) -> pl.DataFrame:
    """All observations of all metrics, in order; failures are left out of every latency and throughput."""
    requests = join_slices(samples)
    per_slice = _per_slice(samples, requests)
    per_round = _per_round(samples, requests)
    return pl.concat(
        [
            _long(per_slice, ["throughput_rps", "cpu_us_per_request"]),
            _long(per_round, ["bytes_per_response", "error_percent"]),
            *_percentiles(requests),
            _long(_memory(samples), ["pss_mib"]),
            _long(_connections(samples), ["requests_per_connection"]),
        ]
    ).sort([*CELL, "metric", "round", "block"])  # groups come in any order: the same samples, the same report


def closed_throughput(samples: Samples) -> dict[str, dict[str, float]]:
    """scenario -> contestant -> requests/s, the median of the closed slices; what open rates are set from."""
    per_slice = _per_slice(samples, join_slices(samples))
    medians = per_slice.group_by(CELL).agg(pl.col("throughput_rps").median())
    rates: dict[str, dict[str, float]] = {}
    for scenario, contestant, rps in medians.iter_rows():
        rates.setdefault(scenario, {})[contestant] = rps or 0.0
    return rates


def needed_samples(quantile: float) -> int:
    """How many samples a pool must hold for the quantile: five beyond it, 5 / (1 - q)."""
    return round(5 / (1 - quantile))


def join_slices(samples: Samples) -> pl.DataFrame:
    """The requests with their slice's scenario, contestant, mode, block and concurrency."""
    keys = ["round", "slice"]
    columns = [*keys, *CELL, "mode", "block", "concurrency", "start_ns", "stop_ns"]
    return samples.requests.join(samples.slices.select(columns), on=keys, how="inner")


def _per_slice(samples: Samples, requests: pl.DataFrame) -> pl.DataFrame:
    """Closed slices: throughput = answered / (last end - first sent), CPU time over answered requests."""
    totals = requests.group_by("round", "slice").agg(
        answered=_ANSWERED.sum(),
        busy_ns=pl.col("end_ns").max() - pl.col("sent_ns").min(),
    )
    slices = samples.slices.filter(pl.col("mode") == "closed").join(totals, on=["round", "slice"], how="left")
    answered = pl.when(pl.col("answered") > 0).then(pl.col("answered"))
    return slices.with_columns(
        throughput_rps=answered / (pl.col("busy_ns") / 1e9),
        cpu_us_per_request=pl.col("server_cpu_ns") / 1000 / answered,
        samples=pl.col("answered").fill_null(0),
    )


def _per_round(samples: Samples, requests: pl.DataFrame) -> pl.DataFrame:
    """Whole responses' bytes and the share of failures, over all slices of the round."""
    return requests.group_by(*CELL, "round").agg(
        bytes_per_response=pl.col("bytes").filter(_ANSWERED).mean(),
        error_percent=100 * (~_ANSWERED).mean(),
        samples=pl.len(),
        block=pl.lit(0, pl.Int32),
    )


def _percentiles(requests: pl.DataFrame) -> list[pl.DataFrame]:
    """Response time = end - due, service time = end - sent; pooled over the answers of the round's open slices."""
    opened = requests.filter(pl.col("mode") == "open")
    frames = []
    for kind, begin in (("response", "due_ns"), ("service", "sent_ns")):
        time_ms = ((pl.col("end_ns") - pl.col(begin)) / _NS_PER_MS).filter(_ANSWERED)
        quantiles = {
            f"{kind}_{name}_ms": pl.when(_ANSWERED.sum() >= needed_samples(q)).then(
                time_ms.quantile(q, "linear")
            )
            for name, q in PERCENTILES.items()
        }
        pools = opened.group_by(*CELL, "round").agg(
            **quantiles, samples=_ANSWERED.sum(), block=pl.lit(0, pl.Int32)
        )
        frames.append(_long(pools, list(quantiles)))
    return frames


def _memory(samples: Samples) -> pl.DataFrame:
    """One PSS a round and contestant, shown in every scenario that it answered."""
    pss = samples.servers.select("round", "contestant", pss_mib=pl.col("pss_kib") / 1024)
    return _answered_scenarios(samples).join(pss, on=["round", "contestant"], how="inner")


def _connections(samples: Samples) -> pl.DataFrame:
    """Requests over connections of the contestant's whole round: connections outlive slices."""
    totals = samples.slices.group_by("round", "contestant").agg(
        pl.col("client_requests").sum(), pl.col("connections").sum()
    )
    opened = pl.when(pl.col("connections") > 0).then(pl.col("connections"))
    shares = totals.select("round", "contestant", requests_per_connection=pl.col("client_requests") / opened)
    return _answered_scenarios(samples).join(shares, on=["round", "contestant"], how="inner")


def _answered_scenarios(samples: Samples) -> pl.DataFrame:
    groups = samples.slices.group_by(*CELL, "round").agg(samples=pl.len())
    return groups.with_columns(block=pl.lit(0, pl.Int32))


def _long(frame: pl.DataFrame, metrics: list[str]) -> pl.DataFrame:
    """One row a metric, with the columns and types of an observation frame."""
    index = [*CELL, "round", "block", "samples"]
    long = frame.unpivot(on=metrics, index=index, variable_name="metric", value_name="value")
    return long.select(COLUMNS).cast(
        {"round": pl.Int32, "block": pl.Int32, "value": pl.Float64, "samples": pl.Int64}
    )

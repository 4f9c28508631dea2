"""A digest -> observations: one value per scenario, contestant, metric, round and block.

An observation frame has the columns scenario, contestant, metric, round, block, value and samples; `value` is null
where something was not read. Latencies are not among them (tails.py).
Metrics that are taken once per round have block 0. Slices that were set aside leave no observation.
"""

import polars as pl

from loadtests.analysis.digest import CELL, Digest
from loadtests.config.metrics import DATABASE

COLUMNS = [*CELL, "metric", "round", "block", "value", "samples"]


def observe(digest: Digest) -> pl.DataFrame:
    """All observations of all metrics, in order; failures are left out of throughput."""
    return pl.concat(
        [
            _long(
                _per_slice(digest.slices.filter(~pl.col("aside"))), ["throughput_rps", "cpu_us_per_request"]
            ),
            _long(_per_round(digest), ["bytes_per_response", "error_percent"]),
            _long(_database(digest, "closed", DATABASE[0]), [DATABASE[0]]),
            _long(_database(digest, "open", DATABASE[1]), [DATABASE[1]]),
            _long(_memory(digest), ["pss_mib"]),
            _long(_private_memory(digest), ["private_mib"]),
            _long(_connections(digest), ["requests_per_connection"]),
        ]
    ).sort([*CELL, "metric", "round", "block"])  # groups come in any order: the same samples, the same report


def closed_throughput(digest: Digest) -> dict[str, dict[str, float]]:
    """scenario -> contestant -> requests/s of all closed slices together, pauses included.

    Slices that were set aside count as well: a rate need not be exact, but there must be one.
    """
    closed = digest.slices.filter((pl.col("mode") == "closed") & (pl.col("busy_ns") > 0))
    totals = closed.group_by(CELL).agg(rps=1e9 * pl.col("answered").sum() / pl.col("busy_ns").sum())
    rates: dict[str, dict[str, float]] = {}
    for scenario, contestant, rps in totals.iter_rows():
        rates.setdefault(scenario, {})[contestant] = rps
    return rates


def _per_slice(slices: pl.DataFrame) -> pl.DataFrame:
    """Closed slices: throughput = answered / (last end - first sent), CPU time over answered requests."""
    answered = pl.when(pl.col("answered") > 0).then(pl.col("answered"))
    return slices.filter(pl.col("mode") == "closed").with_columns(
        throughput_rps=answered / (pl.col("busy_ns") / 1e9),
        cpu_us_per_request=pl.col("server_cpu_ns") / 1000 / answered,
        samples=pl.col("answered"),
    )


def _per_round(digest: Digest) -> pl.DataFrame:
    """Whole responses' bytes and the share of failures, over all slices of the round."""
    cell = [*CELL, "round"]
    sizes = digest.bodies.group_by(cell).agg(
        bytes_per_response=pl.col("bytes").sum() / pl.col("answered").sum()
    )
    counts = digest.slices.group_by(cell).agg(samples=pl.col("requests").sum(), good=pl.col("answered").sum())
    shares = counts.filter(pl.col("samples") > 0).with_columns(
        error_percent=100 * (pl.col("samples") - pl.col("good")) / pl.col("samples")
    )
    return _once(shares.join(sizes, on=cell, how="left"))


def _database(digest: Digest, mode: str, metric: str) -> pl.DataFrame:
    """CPU time of PostgreSQL and Redis over answered requests, of a round's slices of one mode; no rows if not read.

    A ratio of totals, since PostgreSQL tidies up now and then.
    """
    used_ns = pl.sum_horizontal("database_cpu_ns", "redis_cpu_ns", ignore_nulls=False)
    read = digest.slices.filter((pl.col("mode") == mode) & ~pl.col("aside") & used_ns.is_not_null())
    totals = read.group_by(*CELL, "round").agg(samples=pl.col("answered").sum(), used_us=used_ns.sum() / 1000)
    answered = totals.filter(pl.col("samples") > 0)
    return _once(answered.with_columns((pl.col("used_us") / pl.col("samples")).alias(metric)))


def _memory(digest: Digest) -> pl.DataFrame:
    """One PSS per round and contestant, shown in every scenario that it answered."""
    pss = digest.servers.select("round", "contestant", pss_mib=pl.col("pss_kib") / 1024)
    return _answered_scenarios(digest).join(pss, on=["round", "contestant"], how="inner")


def _private_memory(digest: Digest) -> pl.DataFrame:
    """Per round and contestant, in no scenario; no rows where it was not measured."""
    read = digest.servers.drop_nulls("private_kib")
    return _once(
        read.select(
            "round",
            "contestant",
            scenario=pl.lit(""),
            samples=pl.lit(1),
            private_mib=pl.col("private_kib") / 1024,
        )
    )


def _connections(digest: Digest) -> pl.DataFrame:
    """Requests over connections of the contestant's whole round: connections outlive slices."""
    totals = digest.slices.group_by("round", "contestant").agg(
        pl.col("client_requests").sum(), pl.col("connections").sum()
    )
    opened = pl.when(pl.col("connections") > 0).then(pl.col("connections"))
    shares = totals.select("round", "contestant", requests_per_connection=pl.col("client_requests") / opened)
    return _answered_scenarios(digest).join(shares, on=["round", "contestant"], how="inner")


def _answered_scenarios(digest: Digest) -> pl.DataFrame:
    return _once(digest.slices.group_by(*CELL, "round").agg(samples=pl.len()))


def _once(frame: pl.DataFrame) -> pl.DataFrame:
    """What is taken once per round has block 0."""
    return frame.with_columns(block=pl.lit(0, pl.Int32))


def _long(frame: pl.DataFrame, metrics: list[str]) -> pl.DataFrame:
    """One row per metric, with the columns and types of an observation frame."""
    index = [*CELL, "round", "block", "samples"]
    long = frame.unpivot(on=metrics, index=index, variable_name="metric", value_name="value")
    return long.select(COLUMNS).cast(
        {"round": pl.Int32, "block": pl.Int32, "value": pl.Float64, "samples": pl.Int64}
    )

"""Gates on CPU time: the load generator's, its CPUs', other programs' and other machines'."""

import pytest

from tests.support.frames import Piece, digested, run_of, samples_of
from tests.support.gates import found, looked_at


@pytest.mark.parametrize(("share", "ok"), [(0.79, True), (0.81, False)])
def test_the_generator_keeps_a_fifth_of_its_core_free(share: float, ok: bool) -> None:
    result = found("generator_cpu", Piece(generator=share))

    assert result.ok == ok
    assert result.value == pytest.approx(100 * share, abs=0.1)


@pytest.mark.parametrize(
    ("mode", "server", "generator", "ok"),
    [
        ("closed", 0.98, 0.85, True),
        ("closed", 0.98, 0.97, False),
        ("closed", 0.90, 0.85, False),
        ("open", 0.98, 0.85, False),
    ],
)
def test_a_server_that_fills_its_cpu_is_the_bottleneck_itself(
    mode: str, server: float, generator: float, ok: bool
) -> None:
    """Two users, 1 ms each: 500 µs of time a request."""
    piece = Piece(mode=mode, gap_ms=0.5, requests=2000, cpu_us=500 * server, generator=generator)

    assert looked_at(samples_of(piece), loop=mode)["generator_cpu"].ok is ok


def test_each_loop_is_judged_by_itself_where_their_mean_would_pass() -> None:
    closed, opened = Piece(generator=0.85), Piece(mode="open", generator=0.15)
    samples = samples_of(closed, opened)

    assert looked_at(samples, loop="closed")["generator_cpu"].ok is False
    assert looked_at(samples, loop="open")["generator_cpu"].ok is True


@pytest.mark.parametrize(("database", "ok"), [(0.60, True), (0.68, False)])
def test_the_cpus_of_the_load_are_not_the_bottleneck(database: float, ok: bool) -> None:
    result = found("load_cpus", Piece(requests=2000, generator=0.3, database=database))

    assert result.ok == ok
    assert result.value == pytest.approx(100 * (0.31 + database), abs=0.1)


def test_several_cpus_of_the_load_are_judged_by_their_mean() -> None:
    result = found("load_cpus", Piece(database=0.9), run=run_of(load_cpus=2, cpus=4))

    assert result.value == pytest.approx(100 * 1.21 / 2, abs=0.1)


@pytest.mark.parametrize("foreign", [(0.01, 0.07), (0.07, 0.01)])
def test_other_programs_are_found_on_either_side(foreign: tuple[float, float]) -> None:
    result = found("foreign_cpu", Piece(requests=10_000, foreign=foreign))

    assert result.ok is False
    assert result.value == pytest.approx(7.0, abs=0.1)
    on_server, on_load = (f"{100 * one:.1f} %" for one in foreign)
    assert result.note == (
        f"other programs used {on_server} of a CPU among those of the server, {on_load} among those of the load"
    )


def test_what_postgresql_uses_is_not_foreign() -> None:
    assert found("foreign_cpu", Piece(requests=10_000, database=0.5)).ok is True


def test_a_share_within_the_error_of_the_ticks_passes() -> None:
    short, long = (found("foreign_cpu", Piece(requests=n, foreign=(0.07, 0.0))) for n in (100, 10_000))

    assert short.value == pytest.approx(long.value, rel=0.01)
    assert (short.ok, long.ok) == (True, False)


def test_the_load_side_is_not_judged_where_the_user_runs_the_database() -> None:
    result = found("foreign_cpu", Piece(requests=10_000, database=None, foreign=(0.01, 0.5)))

    assert result.ok is True
    assert "1.0 % of a CPU among those of the server, an unknown share among those of the load" in result.note


def test_without_meters_nothing_is_checked() -> None:
    unmetered = looked_at(samples_of(Piece(foreign=None)))

    assert [unmetered[one].ok for one in ("load_cpus", "foreign_cpu")] == [None, None]


@pytest.mark.parametrize(("share", "aside"), [(0.29, 0), (0.31, 1)])
def test_a_slice_is_set_aside_for_its_stolen_time_alone(share: float, aside: int) -> None:
    taken = digested(samples_of(Piece(steal=share, service_ms=0.1), Piece(service_ms=9.0)), 30.0)

    assert int(taken.slices["aside"].sum()) == aside


@pytest.mark.parametrize(("stolen", "ok"), [(1, True), (2, False)])
def test_at_least_half_of_the_slices_must_be_left(stolen: int, ok: bool) -> None:
    result = found("steal", *(Piece(steal=0.5) for _ in range(stolen)), Piece())

    assert result.ok == ok
    assert result.value == pytest.approx(100 * stolen / (stolen + 1))
    assert result.note.startswith(f"{stolen} of {stolen + 1} slices set aside")

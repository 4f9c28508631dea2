"""How CPUs are divided between servers, load generator and services."""

import pytest

from loadtests.machine.cpus import CpuSets, cpu_sets
from loadtests.machine.description import pinning

Cores = tuple[tuple[int, ...], ...]


def single(*cpus: int) -> Cores:
    """Cores of one thread each."""
    return tuple((cpu,) for cpu in cpus)


@pytest.mark.parametrize(
    ("cores", "sets"),
    [
        (single(0), CpuSets()),
        (((0, 1),), CpuSets((0,), (1,), (1,))),
        (single(0, 1), CpuSets((0,), (1,), (1,))),
        (single(5, 2, 3), CpuSets((2,), (3,), (5,))),
        (single(0, 1, 2, 3), CpuSets((0, 1), (2,), (3,))),
        (((0, 1), (2, 3)), CpuSets((0, 1), (2,), (3,))),
        (((0, 2), (1, 3)), CpuSets((0, 2), (1,), (3,))),
        (((0, 4), (1, 5), (2, 6), (3, 7)), CpuSets((0, 1, 4, 5), (2, 6), (3, 7))),
        (((0, 6), (1, 7), (2, 8)), CpuSets((0, 6), (1, 7), (2, 8))),
        (((0, 1), (2,)), CpuSets((0, 1), (2,), (2,))),
        (single(*range(16)), CpuSets(tuple(range(8)), (8,), tuple(range(9, 16)))),
    ],
)
def test_cores_are_divided_between_servers_generator_and_services(cores: Cores, sets: CpuSets) -> None:
    assert cpu_sets(cores) == sets


@pytest.mark.parametrize("threads", [1, 2, 4])
@pytest.mark.parametrize("count", range(2, 9))
def test_servers_share_no_core_with_the_load_and_the_generator_has_one_for_itself(
    count: int, threads: int
) -> None:
    cores = tuple(tuple(range(core, count * threads, count)) for core in range(count))

    sets = cpu_sets(cores)

    assert not any({*core} & {*sets.servers} and {*core} & {*sets.load, *sets.services} for core in cores)
    if count > 2:
        assert not any({*core} & {*sets.load} and {*core} & {*sets.services} for core in cores)
    assert {*sets.servers, *sets.load, *sets.services} == {cpu for core in cores for cpu in core}


@pytest.mark.parametrize(
    ("sets", "cores", "text"),
    [
        (CpuSets(), single(0), "one CPU for everything: the figures are not reliable"),
        (CpuSets((0,), (1,), (1,)), single(0, 1), "servers on CPU 0, load and database on CPU 1"),
        (
            CpuSets((0, 1, 4, 5), (2, 6), (3, 7)),
            ((0, 4), (1, 5), (2, 6), (3, 7)),
            "servers on CPUs 0-1,4-5, load on CPUs 2,6, database on CPUs 3,7",
        ),
        (
            CpuSets((0,), (1,), (1,)),
            ((0, 1),),
            "servers on CPU 0, load and database on CPU 1, which are threads of one core: they slow each other down",
        ),
    ],
)
def test_a_run_says_who_had_which_cpus(sets: CpuSets, cores: Cores, text: str) -> None:
    assert pinning(sets, cores) == text

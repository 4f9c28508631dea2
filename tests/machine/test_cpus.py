import pytest

from loadtests.machine.cpus import cpu_sets


@pytest.mark.parametrize(
    ("available", "servers", "load"),
    [
        ((0,), (), ()),
        ((0, 1), (0,), (1,)),
        ((5, 2, 3), (2,), (3, 5)),
        (range(8), (0, 1, 2, 3), (4, 5, 6, 7)),
    ],
)
def test_cpus_are_halved_between_servers_and_load(
    available: tuple[int, ...], servers: tuple[int, ...], load: tuple[int, ...]
) -> None:
    assert cpu_sets(available) == (servers, load)

"""What observing collections costs: every call of the observer is timed, in workers too."""

import urllib.request
from dataclasses import replace

import pytest

from loadtests.config.contestants import load_contestants
from loadtests.config.selection import CATALOG
from loadtests.machine.garbage import take
from loadtests.machine.servers import Endpoint, launched
from loadtests.reference import collector
from loadtests.studies.observer import Timings, timed


@pytest.mark.parametrize("name", ["raw-wsgi-gthread", "raw-asgi-uvicorn"])
def test_every_call_of_the_observer_is_timed_in_the_server(name: str) -> None:
    one = load_contestants(CATALOG)[name]
    target = f"loadtests.reference.collecting_{one.gateway}:app"
    environment = {collector.APP: one.command[-1], collector.EVERY: "1", collector.OBJECTS: "20000"}
    timings = Timings()

    with launched(
        [timed(replace(one, command=(*one.command[:-1], target), environment=environment))], {}, ()
    ) as up:
        timings.read(up)
        before = take(up[name].count_file)
        for _ in range(10):
            ping(up[name])
        timings.read(up)
        after = take(up[name].count_file)

    assert before
    assert after
    seen = after.since(before)
    assert seen.gen2_count == 10
    assert (
        0 < timings.ns_per_collection(name) < seen.gen2_cpu_ns
    )  # all ten collections take longer than observing one


def ping(endpoint: Endpoint) -> None:
    urllib.request.urlopen(f"http://{endpoint.host}:{endpoint.port}/api/probe/ping").close()

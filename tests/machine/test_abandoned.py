"""Databases of processes that were killed."""

import subprocess
import sys

import psycopg

from loadtests.machine.databases import seeded_template
from loadtests.machine.reachable import libpq_url
from loadtests.machine.services import Services
from tests.support.waiting import eventually

TEMPLATE_HOLDER = """
import sys, time
from loadtests.machine.databases import database_copy, seeded_template
with seeded_template(sys.argv[1]) as name, database_copy(sys.argv[1], name):
    print(name, flush=True)
    time.sleep(60)
"""


def test_databases_of_a_killed_process_are_dropped_by_the_next_and_those_in_use_are_kept(
    running_services: Services,
) -> None:
    url = running_services.database_url
    argv = [sys.executable, "-c", TEMPLATE_HOLDER, url]
    with seeded_template(url) as in_use, subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        abandoned = holder.stdout.readline().strip()
        made = databases(url, abandoned)
        holder.kill()
        await_disconnected(url, abandoned)
        with seeded_template(url):
            assert len(made) == 2
            assert databases(url, abandoned) == []
            assert databases(url, in_use) == [in_use]


def databases(url: str, template: str) -> list[str]:
    """The template and its copies."""
    with psycopg.connect(libpq_url(url)) as connection:
        found = connection.execute(
            "SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [template]
        )
        return [name for (name,) in found]


def await_disconnected(url: str, owner: str) -> None:
    """Return once the server has noticed that the owner is gone."""
    connected = "SELECT 1 FROM pg_stat_activity WHERE application_name = %s"
    with psycopg.connect(libpq_url(url), autocommit=True) as connection:
        eventually(lambda: not connection.execute(connected, [owner]).fetchone(), "the owner is disconnected")

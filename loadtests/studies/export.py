"""How much memory a server takes to send a million rows: an export's, while it is downloaded.

Run as `make export-memory`; ARGS="20000" for fewer rows. The rows are made in the servers' databases. Memory is the
server's proportional set size (PSS), read again and again while the export arrives.
"""

import http.client
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg

from loadtests.config.contestants import load_contestants
from loadtests.config.selection import CATALOG
from loadtests.errors import ServerError
from loadtests.machine.databases import database_copy, seeded_template
from loadtests.machine.meters import ProcessTree
from loadtests.machine.reachable import libpq_url
from loadtests.machine.servers import Endpoint, launched
from loadtests.machine.services import services

CONTESTANTS = ("flask-gthread", "fastapi-uvicorn")
FORMATS = ("csv", "ndjson")
ROWS, LIMIT_MIB = 1_000_000, 50
POLL_S = 0.02
PIECE_BYTES = 1 << 16
_FILL = """
INSERT INTO items (name, description, price_cents, stock, created_at, updated_at)
SELECT 'Made item ' || n, repeat('Made to be exported. ', 4), n %% 100000, n %% 500, now(), now()
FROM generate_series(1, %s) AS made (n)
"""


@dataclass(frozen=True, slots=True)
class Download:
    """An export as it arrived: its lines, the time it took, and by how much the server grew meanwhile, at most."""

    lines: int
    mebibytes: float
    seconds: float
    grown_mib: float


def add_rows(database_url: str, rows: int) -> None:
    """Adds `rows` items to a database."""
    with psycopg.connect(libpq_url(database_url)) as connection:
        connection.execute(_FILL, [rows])


def download(endpoint: Endpoint, path: str) -> Download:
    """Downloads an export as fast as it comes. Raises ServerError when it is cut short or memory can't be read."""
    begun_s = time.monotonic()
    with _memory_watched(endpoint.pid) as highest:
        before = highest[0]
        lines, received = _receive(endpoint, path)
    seconds = time.monotonic() - begun_s
    return Download(lines, received / 2**20, seconds, (highest[0] - before) / 1024)


def _receive(endpoint: Endpoint, path: str) -> tuple[int, int]:
    connection = http.client.HTTPConnection(endpoint.host, endpoint.port, timeout=60)
    lines = received = 0
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        while piece := answer.read(PIECE_BYTES):
            lines, received = lines + piece.count(b"\n"), received + len(piece)
    except (OSError, http.client.HTTPException) as error:
        raise ServerError(f"{endpoint.name} broke off {path} after {received} bytes") from error
    finally:
        connection.close()
    return lines, received


@contextmanager
def _memory_watched(pid: int) -> Iterator[list[int]]:
    """The highest PSS in KiB, kept up to date while the block lasts."""
    tree, done = ProcessTree(pid), threading.Event()
    highest = [_pss_kib(tree)]

    def watch() -> None:
        while not done.wait(POLL_S):
            highest[0] = max(highest[0], tree.pss_kib() or 0)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield highest
    finally:
        done.set()
        watcher.join()


def _pss_kib(tree: ProcessTree) -> int:
    pss = tree.pss_kib()
    if pss is None:
        raise ServerError("the kernel doesn't tell how much memory a server has (/proc/PID/smaps_rollup)")
    return pss


def downloads(rows: int) -> Iterator[tuple[str, Download]]:
    """Every export from every server, each with `rows` rows in addition to the seeded ones."""
    known = load_contestants(CATALOG)
    with services() as running, seeded_template(running.database_url) as template:
        for name in CONTESTANTS:
            with database_copy(running.database_url, template) as url:
                add_rows(url, rows)
                environment = {
                    "DATABASE_URL": url,
                    "REDIS_URL": running.redis_url,
                    "SHOP_ENV": "development",
                }
                with launched([known[name]], {name: environment}, ()) as endpoints:
                    _receive(
                        endpoints[name], "/api/items/export.csv?max_price=1000"
                    )  # what a first one loads
                    for form in FORMATS:
                        yield name, download(endpoints[name], f"/api/items/export.{form}")


def main() -> None:
    """Prints a line per download; status 1 when a server grew by more than the limit."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    too_much = False
    for name, seen in downloads(rows):
        too_much |= seen.grown_mib > LIMIT_MIB
        sys.stdout.write(
            f"{name}: {seen.lines:,} lines, {seen.mebibytes:.0f} MiB in {seen.seconds:.1f} s;"
            f" the server grew by {seen.grown_mib:.1f} MiB at most\n"
        )
    if too_much:
        sys.exit(f"a server grew by more than {LIMIT_MIB} MiB")


if __name__ == "__main__":
    main()

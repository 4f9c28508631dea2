"""The command line: the only place that prints or exits. One module holds the commands of one kind.

Exit codes: 0 done, 1 differences found, 2 bad input, 130 stopped by a signal.
"""

from loadtests.cli import bench, capacity, doctor, results, selftest, servers
from loadtests.cli.frame import app

__all__ = ["bench", "capacity", "doctor", "main", "results", "selftest", "servers"]


def main() -> None:
    """The console script `sidebyside`."""
    app()

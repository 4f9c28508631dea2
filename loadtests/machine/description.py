"""What machine and which versions a run was made on."""

import os
import platform
import resource
import subprocess
from collections.abc import Collection, Sequence
from importlib.metadata import PackageNotFoundError, distribution, version
from itertools import groupby
from pathlib import Path

import psutil
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from loadtests.machine import cgroups, kernel
from loadtests.machine.cpus import CpuSets

SUITE = "sidebyside"
MAIN_PACKAGES = (
    "flask", "werkzeug", "marshmallow", "gunicorn", "gevent", "fastapi", "starlette", "pydantic", "uvicorn",
    "uvloop", "httptools", "sqlalchemy", "psycopg", "orjson", "locust",
)  # fmt: skip
NOT_KNOWN = "not known outside a checkout"


def describe(cpus: CpuSets, database_url: str | None) -> dict[str, str]:
    """Facts by name, as the report shows them."""
    return {
        **hardware(),
        "CPUs": f"{len(os.sched_getaffinity(0))} ({pinning(cpus, kernel.cores(cpus=os.sched_getaffinity(0)))})",
        "System": f"{platform.system()} {platform.release()}",
        "Open files and processes": f"{_limit(resource.RLIMIT_NOFILE)}, {_limit(resource.RLIMIT_NPROC)} at most",
        "Python": platform.python_version(),
        "PostgreSQL": postgres_version(database_url) if database_url else "not used",
        "Packages": packages(SUITE),
        "Suite": f"{SUITE} {version(SUITE)}",
        **revision(),
    }


def hardware(root: Path = kernel.ROOT) -> dict[str, str]:
    """The CPUs, the memory, and what limits both; the root is for what psutil does not read."""
    cpus = sorted(os.sched_getaffinity(0))
    limits, stolen_percent = cgroups.limits(root), kernel.cpu_times(root).stolen_percent
    return {
        "CPU": kernel.cpu_model(root) or platform.processor() or platform.machine(),
        "Cores": f"{len(kernel.cores(root, cpus))}, with {len(cpus)} threads in all",
        "Frequency governor": ", ".join(kernel.governors(root, cpus)) or "none is exposed",
        "CPU time limit": "none" if limits.cpus is None else f"{limits.cpus:g} CPUs",
        "CPU time stolen since boot": "not known" if stolen_percent is None else f"{stolen_percent:.1f} %",
        "Memory": _gib(psutil.virtual_memory().total / kernel.MIB),
        "Memory limit": "none" if limits.memory_mib is None else _gib(limits.memory_mib),
        "Virtualisation": kernel.virtualisation(root),
    }


def pinning(cpus: CpuSets, cores: Collection[tuple[int, ...]]) -> str:
    """Which CPUs servers, load and services use, in words; cores: see `kernel.cores`."""
    if not cpus.servers:
        return "one CPU for everything: the figures are not reliable"
    if cpus.load == cpus.services:
        text = f"servers on {_listed(cpus.servers)}, load and database on {_listed(cpus.load)}"
    else:
        text = f"servers on {_listed(cpus.servers)}, load on {_listed(cpus.load)}, database on {_listed(cpus.services)}"
    return text if len(cores) > 1 else f"{text}, which are threads of one core: they slow each other down"


def postgres_version(database_url: str) -> str:
    """The version that the database server reports: `18.1`."""
    import psycopg  # noqa: PLC0415  as in environment.py: not every command has a database

    from loadtests.machine.reachable import libpq_url  # noqa: PLC0415

    with psycopg.connect(libpq_url(database_url)) as connection:
        number = connection.info.server_version
    return f"{number // 10000}.{number % 10000}"


def packages(name: str) -> str:
    """The versions of everything installed that the distribution needs, MAIN_PACKAGES first, itself left out."""
    needed = dependencies(name) - {name}
    main = [one for one in MAIN_PACKAGES if one in needed]
    return ", ".join(f"{one} {version(one)}" for one in [*main, *sorted(needed - {*main})])


def dependencies(name: str) -> set[str]:
    """The installed distributions that this one needs, directly or not, and itself; names in their normal form.

    Optional ones count where a requirement names their extra, as in `psycopg[binary]`.
    """
    seen: set[tuple[str, str]] = set()
    waiting = [(name, "")]
    while waiting:
        one = waiting.pop()
        if one not in seen and (requirements := _requirements(*one)) is not None:
            seen.add(one)
            waiting += requirements
    return {found for found, _ in seen}


def revision(folder: Path = Path(__file__).parent) -> dict[str, str]:
    """The git commit of the suite, and whether files differ from it."""
    unknown = {"Commit": NOT_KNOWN, "Changed files": NOT_KNOWN}
    try:
        _git(
            folder, "ls-files", "--error-unmatch", Path(__file__).name
        )  # else it is another project's checkout
        commit, changed = _git(folder, "rev-parse", "HEAD"), _git(folder, "status", "--porcelain")
    except (OSError, subprocess.CalledProcessError):
        return unknown
    return {"Commit": commit[:12], "Changed files": "yes" if changed else "no"}


def _requirements(name: str, extra: str) -> list[tuple[str, str]] | None:
    """What a distribution needs for one of its extras, "" for what it always needs; None: it is not installed."""
    try:
        needed = [Requirement(line) for line in distribution(name).requires or []]
    except PackageNotFoundError:
        return None
    wanted = [one for one in needed if one.marker is None or one.marker.evaluate({"extra": extra})]
    return [(canonicalize_name(one.name), asked) for one in wanted for asked in ("", *one.extras)]


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", "--no-optional-locks", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout.strip()


def _limit(kind: int) -> str:
    soft = resource.getrlimit(kind)[0]
    return "unlimited" if soft == resource.RLIM_INFINITY else str(soft)


def _gib(mib: float) -> str:
    return f"{mib / 1024:.1f} GiB"


def _listed(cpus: Sequence[int]) -> str:
    """CPUs in the kernel's notation: 0-2,5."""
    parts = [[cpu for _, cpu in run] for _, run in groupby(enumerate(cpus), lambda pair: pair[1] - pair[0])]
    text = ",".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in parts)
    return f"CPU {text}" if len(cpus) == 1 else f"CPUs {text}"

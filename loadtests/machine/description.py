"""What machine and which versions a run was made on."""

import os
import platform
import resource
import subprocess
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path

import psutil
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from loadtests.machine import cgroups, kernel

SUITE = "sidebyside"
MAIN_PACKAGES = (
    "flask", "werkzeug", "marshmallow", "gunicorn", "gevent", "fastapi", "starlette", "pydantic", "uvicorn",
    "uvloop", "httptools", "sqlalchemy", "psycopg", "orjson", "locust",
)  # fmt: skip
NOT_KNOWN = "not known outside a checkout"


def describe(
    server_cpus: Sequence[int], load_cpus: Sequence[int], database_url: str | None
) -> dict[str, str]:
    """Facts by name, as the report shows them."""
    return {
        **hardware(),
        "CPUs": f"{len(os.sched_getaffinity(0))} ({pinning(server_cpus, load_cpus)})",
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


def pinning(server_cpus: Sequence[int], load_cpus: Sequence[int]) -> str:
    """Which CPUs servers and load use, in words."""
    if not server_cpus:
        return "one CPU for everything: the figures are not reliable"
    return f"servers on {_listed(server_cpus)}, load and database on {_listed(load_cpus)}"


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
    return f"CPU {cpus[0]}" if len(cpus) == 1 else f"CPUs {cpus[0]}-{cpus[-1]}"

"""What machine and which versions a run was made on."""

import os
import platform
import subprocess
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import psycopg

from shared.services import libpq_url

PACKAGES = (
    "flask", "werkzeug", "marshmallow", "gunicorn", "gevent", "fastapi", "starlette", "pydantic", "uvicorn",
    "uvloop", "httptools", "sqlalchemy", "psycopg", "orjson", "locust",
)  # fmt: skip


def describe(server_cpus: Sequence[int], load_cpus: Sequence[int], database_url: str) -> dict[str, str]:
    """Facts by name, as the report shows them."""
    return {
        "CPU": cpu_model(),
        "CPUs": f"{len(os.sched_getaffinity(0))} ({pinning(server_cpus, load_cpus)})",
        "Memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.1f} GiB",
        "System": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        "PostgreSQL": postgres_version(database_url),
        "Packages": ", ".join(f"{name} {version(name)}" for name in PACKAGES),
        "Suite": revision(),
    }


def cpu_model(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """The CPU's name as the kernel gives it."""
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def pinning(server_cpus: Sequence[int], load_cpus: Sequence[int]) -> str:
    """Which CPUs do what, in words."""
    if not server_cpus:
        return "one CPU for everything: figures are of little use"
    return f"servers on {_listed(server_cpus)}, load and database on {_listed(load_cpus)}"


def postgres_version(database_url: str) -> str:
    """The version that the database server says of itself."""
    with psycopg.connect(libpq_url(database_url)) as connection:
        number = connection.info.server_version
    return f"{number // 10000}.{number % 10000}"


def revision(folder: Path = Path(__file__).parent) -> str:
    """The suite's version, its git commit, and whether files were changed since."""
    released = f"sidebyside {version('sidebyside')}"
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        told = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return released
    return f"{released}, commit {told.stdout.strip()}"


def _listed(cpus: Sequence[int]) -> str:
    return f"CPU {cpus[0]}" if len(cpus) == 1 else f"CPUs {cpus[0]}-{cpus[-1]}"

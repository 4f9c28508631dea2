"""The CPU time and memory that control groups leave to this process, versions 1 and 2.

Sources: cgroups(7), proc_pid_mountinfo(5); the Linux kernel's admin-guide/cgroup-v2.rst for `cpu.max` and `memory.max`,
scheduler/sched-bwc.rst and admin-guide/cgroup-v1/memory.rst for the files of version 1.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from loadtests.machine.kernel import MIB, ROOT

UNLIMITED_BYTES = 2**60  # version 1 writes a number near 2**63 where there is no limit


@dataclass(frozen=True, slots=True)
class Limits:
    """CPUs' worth of time, and MiB; None where nothing limits them."""

    cpus: float | None = None
    memory_mib: float | None = None


@dataclass(frozen=True, slots=True)
class _Mount:
    """A mounted hierarchy: which of its groups is seen at which folder; no controllers: version 2."""

    group: PurePosixPath
    folder: Path
    controllers: frozenset[str]


def limits(root: Path = ROOT) -> Limits:
    """The tightest limits of this process's groups and of the groups above them."""
    folders = [*_folders(root, "cpu")]
    memory_folders = [*_folders(root, "memory")]
    return Limits(
        cpus=_least(folders, (_cpu_max, _cfs_quota)),
        memory_mib=_least(memory_folders, (_memory_max, _memory_limit)),
    )


def _least(folders: Iterable[Path], readers: Iterable[Callable[[Path], float | None]]) -> float | None:
    found = (reader(folder) for folder in folders for reader in readers)
    return min((limit for limit in found if limit is not None), default=None)


def _cpu_max(folder: Path) -> float | None:
    quota, _, period = _line(folder / "cpu.max").partition(" ")
    return int(quota) / int(period) if quota.isdigit() and period.isdigit() else None


def _cfs_quota(folder: Path) -> float | None:
    quota, period = _line(folder / "cpu.cfs_quota_us"), _line(folder / "cpu.cfs_period_us")
    return int(quota) / int(period) if quota.isdigit() and period.isdigit() else None  # -1: no limit


def _memory_max(folder: Path) -> float | None:
    return _mib(_line(folder / "memory.max"))


def _memory_limit(folder: Path) -> float | None:
    return _mib(_line(folder / "memory.limit_in_bytes"))


def _mib(text: str) -> float | None:
    return int(text) / MIB if text.isdigit() and int(text) < UNLIMITED_BYTES else None


def _folders(root: Path, controller: str) -> Iterator[Path]:
    """The folders of this process's groups that may limit what the controller hands out, innermost first."""
    mounts = [*_mounts(root)]
    for line in _lines(root / "proc/self/cgroup"):
        _, controllers, group = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        for mount in mounts:
            if (controller in mount.controllers) if controllers else not mount.controllers:
                yield from _upwards(mount, PurePosixPath(group))


def _upwards(mount: _Mount, group: PurePosixPath) -> Iterator[Path]:
    """The group's folder and those above it; the mount alone where the group lies outside what it shows."""
    below = group.relative_to(mount.group) if group.is_relative_to(mount.group) else PurePosixPath()
    for part in (below, *below.parents):
        yield mount.folder / part


def _mounts(root: Path) -> Iterator[_Mount]:
    for line in _lines(root / "proc/self/mountinfo"):
        place, _, source = line.partition(" - ")
        kind, _, options = source.split(" ", 2)
        if kind not in {"cgroup", "cgroup2"}:
            continue
        group, folder = place.split(" ")[3:5]
        controllers = frozenset(options.split(",")) if kind == "cgroup" else frozenset[str]()
        yield _Mount(PurePosixPath(group), root / folder.lstrip("/"), controllers)


def _line(file: Path) -> str:
    return next(iter(_lines(file)), "")


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []

"""What psutil does not read: facts of the machine from /proc and /sys, below a root that tests can make up.

What a kernel does not expose is None or empty, never an error: virtual machines and containers hide much of it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path("/")
MIB = 2**20
CPU_FOLDER = "sys/devices/system/cpu"
TICK_COLUMNS = 8  # user to steal; the guest columns behind them are part of user and nice, see proc_stat(5)
CONTAINER_MARKS = (".dockerenv", "run/.containerenv")


@dataclass(frozen=True, slots=True)
class CpuTimes:
    """Ticks since boot, summed over some CPUs."""

    total: int
    stolen: int

    @property
    def stolen_percent(self) -> float | None:
        """The share of the time that a hypervisor gave to others; None without any time."""
        return 100 * self.stolen / self.total if self.total > 0 else None

    def since(self, before: "CpuTimes") -> "CpuTimes":
        """The ticks between two readings."""
        return CpuTimes(self.total - before.total, self.stolen - before.stolen)


def cpu_times(root: Path = ROOT, cpus: Collection[int] | None = None) -> CpuTimes:
    """Ticks of these CPUs, of all of them by default.

    psutil lists the CPUs that are online without saying which is which.
    """
    wanted = {"cpu"} if cpus is None else {f"cpu{cpu}" for cpu in cpus}
    ticks = [row for name, row in _ticks(root) if name in wanted]
    return CpuTimes(sum(map(sum, ticks)), sum(row[-1] for row in ticks if len(row) == TICK_COLUMNS))


def ticks_not_busy(root: Path = ROOT) -> dict[int, int]:
    """The ticks in which each CPU that is online was idle, waited for a disk, or was stolen."""
    return {int(name[3:]): sum(row[3:5]) + sum(row[7:]) for name, row in _ticks(root) if name != "cpu"}


def _ticks(root: Path) -> list[tuple[str, list[int]]]:
    """The CPU lines of /proc/stat: all CPUs together, as `cpu`, and then one by one, as `cpu0`."""
    lines = (line.split() for line in _text(root / "proc/stat").splitlines() if line.startswith("cpu"))
    return [(words[0], [int(word) for word in words[1 : TICK_COLUMNS + 1]]) for words in lines]


def cpu_model(root: Path = ROOT) -> str | None:
    """The CPU's name; None where the kernel gives none, as on many ARM machines."""
    return next(iter(_cpuinfo(root, "model name")), None)


def governors(root: Path = ROOT, cpus: Collection[int] = ()) -> tuple[str, ...]:
    """The frequency governors of these CPUs, each named once; empty where the kernel exposes none."""
    files = (root / CPU_FOLDER / f"cpu{cpu}/cpufreq/scaling_governor" for cpu in cpus)
    return tuple(sorted({name for file in files if (name := _text(file).strip())}))


def cores(root: Path = ROOT, cpus: Collection[int] = ()) -> tuple[tuple[int, ...], ...]:
    """These CPUs, grouped by the physical core that they share; a CPU without an entry counts as a core of its own.

    psutil counts the cores of the whole machine, and does not say which CPUs share one.
    """
    groups = {cpu: {*_siblings(root, cpu)} & {*cpus} | {cpu} for cpu in cpus}
    return tuple(sorted({tuple(sorted(group)) for group in groups.values()}))


def on_battery(root: Path = ROOT) -> bool:
    """Whether a battery of the machine itself is being emptied; psutil also counts a mouse's."""
    supplies = sorted((root / "sys/class/power_supply").glob("*"))
    return any(
        _text(supply / "type").strip() == "Battery"
        and _text(supply / "scope").strip() != "Device"
        and _text(supply / "status").strip() == "Discharging"
        for supply in supplies
    )


def virtualisation(root: Path = ROOT) -> str:
    """A hint, not a proof: what the firmware, the CPU's flags and the usual marks of containers say."""
    firmware = [_text(root / f"sys/class/dmi/id/{name}").strip() for name in ("sys_vendor", "product_name")]
    is_guest = (
        _text(root / "sys/hypervisor/type") or "hypervisor" in " ".join(_cpuinfo(root, "flags")).split()
    )
    product = " ".join(filter(None, firmware))
    kind = "virtual machine" if is_guest else "no hypervisor seen"
    container = ", in a container" if any((root / mark).exists() for mark in CONTAINER_MARKS) else ""
    return f"{kind} ({product}){container}" if product else f"{kind}{container}"


def cpu_list(text: str) -> tuple[int, ...]:
    """CPUs out of the kernel's notation: `0-2,5` is 0, 1, 2 and 5."""
    ranges = (part.partition("-") for part in text.strip().split(",") if part)
    return tuple(cpu for low, _, high in ranges for cpu in range(int(low), int(high or low) + 1))


def _siblings(root: Path, cpu: int) -> Sequence[int]:
    return cpu_list(_text(root / CPU_FOLDER / f"cpu{cpu}/topology/thread_siblings_list"))


def _cpuinfo(root: Path, key: str) -> list[str]:
    """The values of a key, one per CPU."""
    lines = (line.partition(":") for line in _text(root / "proc/cpuinfo").splitlines())
    return [value.strip() for name, _, value in lines if name.strip() == key]


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""

"""What a run says of its machine: from made-up trees as kernels write them, and from this very installation."""

import json
import os
import platform
import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path

import pytest

from loadtests.machine import cgroups, description, kernel
from loadtests.machine.cpus import CpuSets
from loadtests.machine.services import Services

NEEDS_GIT = pytest.mark.skipif(shutil.which("git") is None, reason="no git on this machine")
CPUINFO = """\
processor\t: 0
vendor_id\t: GenuineIntel
model name\t: A CPU @ 2.00GHz
flags\t\t: fpu vme sse2 {flag}

processor\t: 1
vendor_id\t: GenuineIntel
model name\t: A CPU @ 2.00GHz
flags\t\t: fpu vme sse2 {flag}
"""
STAT = """\
cpu  600 0 200 9000 100 0 50 50 300 0
cpu0 500 0 100 4400 0 0 0 0 300 0
cpu1 100 0 100 4600 100 0 50 50 0 0
intr 12345 0 0
"""
CGROUP_2 = "0::/user.slice/run.scope\n"
MOUNTS_2 = "31 24 0:27 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"
CGROUP_1 = "4:memory:/docker/abc\n2:cpu,cpuacct:/docker/abc\n1:name=systemd:/docker/abc\n0::/docker/abc\n"
MOUNTS_1 = """\
31 24 0:27 / /sys rw - sysfs sysfs rw
35 31 0:29 /docker/abc /sys/fs/cgroup/cpu,cpuacct ro - cgroup cgroup rw,cpu,cpuacct
36 31 0:30 /docker/abc /sys/fs/cgroup/memory ro master:11 - cgroup cgroup rw,memory
"""


def tree(root: Path, **files: str) -> Path:
    """A root with these files; `__` in a name stands for the slash."""
    return written(root, {name.replace("__", "/"): text for name, text in files.items()})


def written(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return root


def with_cpu(root: Path, cpu: int, siblings: str, governor: str | None = None) -> None:
    folder = f"sys/devices/system/cpu/cpu{cpu}"
    written(root, {f"{folder}/topology/thread_siblings_list": f"{siblings}\n"})
    if governor:
        written(root, {f"{folder}/cpufreq/scaling_governor": f"{governor}\n"})


def test_the_cpus_name_is_the_kernels(tmp_path: Path) -> None:
    assert kernel.cpu_model(tree(tmp_path, proc__cpuinfo=CPUINFO)) == "A CPU @ 2.00GHz"


def test_stolen_time_is_a_share_of_all_ticks_and_guests_are_not_counted_twice(tmp_path: Path) -> None:
    root = tree(tmp_path, proc__stat=STAT)

    assert kernel.cpu_times(root) == kernel.CpuTimes(total=10_000, stolen=50)
    assert kernel.cpu_times(root).stolen_percent == pytest.approx(0.5)


def test_stolen_time_can_be_asked_for_some_cpus_and_for_a_while(tmp_path: Path) -> None:
    before = kernel.cpu_times(tree(tmp_path, proc__stat=STAT), cpus=[1])
    after = kernel.cpu_times(
        tree(
            tmp_path,
            proc__stat=STAT.replace("cpu1 100 0 100 4600 100 0 50 50", "cpu1 130 0 100 4600 100 0 50 60"),
        ),
        cpus=[1],
    )

    assert after.since(before) == kernel.CpuTimes(total=40, stolen=10)
    assert after.since(before).stolen_percent == pytest.approx(25.0)


def test_governors_are_named_once_each_and_none_where_none_is_exposed(tmp_path: Path) -> None:
    for cpu, governor in enumerate(("powersave", "performance", "powersave")):
        with_cpu(tmp_path, cpu, str(cpu), governor)

    assert kernel.governors(tmp_path, [0, 1, 2]) == ("performance", "powersave")
    assert kernel.governors(tmp_path, [7]) == ()


def test_threads_of_one_core_are_found_together(tmp_path: Path) -> None:
    for cpu, siblings in enumerate(("0,2", "1,3", "0,2", "1,3")):
        with_cpu(tmp_path, cpu, siblings)

    assert kernel.cores(tmp_path, [0, 1, 2, 3]) == ((0, 2), (1, 3))
    assert kernel.cores(tmp_path, [0, 1, 2]) == ((0, 2), (1,))  # CPU 3 is not ours
    assert kernel.cores(tmp_path, [8, 9]) == ((8,), (9,))  # nothing is told


@pytest.mark.parametrize(
    ("text", "cpus"), [("0\n", (0,)), ("0-2", (0, 1, 2)), ("0-1,8-9", (0, 1, 8, 9)), ("", ())]
)
def test_the_kernels_lists_of_cpus_are_read(text: str, cpus: tuple[int, ...]) -> None:
    assert kernel.cpu_list(text) == cpus


def test_a_mouse_on_battery_is_not_the_machine(tmp_path: Path) -> None:
    supply = "sys/class/power_supply"
    mouse = {"type": "Battery\n", "scope": "Device\n", "status": "Discharging\n"}
    laptop = {"type": "Battery\n", "status": "Charging\n"}
    written(tmp_path, {f"{supply}/hid/{name}": text for name, text in mouse.items()})
    written(tmp_path, {f"{supply}/BAT0/{name}": text for name, text in laptop.items()})
    plugged_in = kernel.on_battery(tmp_path)

    written(tmp_path, {f"{supply}/BAT0/status": "Discharging\n"})

    assert (plugged_in, kernel.on_battery(tmp_path)) == (False, True)


def test_a_virtual_machine_shows_in_the_cpus_flags_and_its_firmware(tmp_path: Path) -> None:
    tree(tmp_path / "bare", proc__cpuinfo=CPUINFO.format(flag="avx2"))
    guest = tree(tmp_path / "guest", proc__cpuinfo=CPUINFO.format(flag="hypervisor"))
    tree(guest, sys__class__dmi__id__sys_vendor="QEMU\n", sys__class__dmi__id__product_name="Standard PC\n")
    written(guest, {".dockerenv": ""})

    assert kernel.virtualisation(tmp_path / "bare") == "no hypervisor seen"
    assert kernel.virtualisation(guest) == "virtual machine (QEMU Standard PC), in a container"


def test_limits_of_version_2_are_the_tightest_on_the_way_up(tmp_path: Path) -> None:
    root = tree(tmp_path, proc__self__cgroup=CGROUP_2, proc__self__mountinfo=MOUNTS_2)
    groups = "sys/fs/cgroup/user.slice"
    written(root, {f"{groups}/cpu.max": "150000 100000\n", f"{groups}/run.scope/cpu.max": "max 100000\n"})
    written(root, {f"{groups}/memory.max": "max\n", f"{groups}/run.scope/memory.max": f"{2**30}\n"})

    assert cgroups.limits(root) == cgroups.Limits(cpus=1.5, memory_mib=1024)


def test_limits_of_version_1_are_read_where_the_container_sees_its_own_group(tmp_path: Path) -> None:
    root = tree(tmp_path, proc__self__cgroup=CGROUP_1, proc__self__mountinfo=MOUNTS_1)
    cpu, memory = "sys/fs/cgroup/cpu,cpuacct", "sys/fs/cgroup/memory"
    written(root, {f"{cpu}/cpu.cfs_quota_us": "50000\n", f"{cpu}/cpu.cfs_period_us": "100000\n"})
    written(root, {f"{memory}/memory.limit_in_bytes": f"{2**29}\n"})

    assert cgroups.limits(root) == cgroups.Limits(cpus=0.5, memory_mib=512)


def test_no_limit_is_how_each_version_writes_it(tmp_path: Path) -> None:
    first = tree(tmp_path / "1", proc__self__cgroup=CGROUP_1, proc__self__mountinfo=MOUNTS_1)
    cpu, memory = "sys/fs/cgroup/cpu,cpuacct", "sys/fs/cgroup/memory"
    written(first, {f"{cpu}/cpu.cfs_quota_us": "-1\n", f"{cpu}/cpu.cfs_period_us": "100000\n"})
    written(first, {f"{memory}/memory.limit_in_bytes": "9223372036854771712\n"})
    second = tree(tmp_path / "2", proc__self__cgroup=CGROUP_2, proc__self__mountinfo=MOUNTS_2)
    group = "sys/fs/cgroup/user.slice/run.scope"
    written(second, {f"{group}/cpu.max": "max 100000\n", f"{group}/memory.max": "max\n"})

    assert cgroups.limits(first) == cgroups.limits(second) == cgroups.Limits(None, None)


def test_a_kernel_that_tells_nothing_is_no_error(tmp_path: Path) -> None:
    facts = description.hardware(tmp_path)

    assert facts["Frequency governor"] == "none is exposed"
    assert facts["CPU time stolen since boot"] == "not known"
    assert facts["CPU time limit"] == facts["Memory limit"] == "none"
    assert all(facts.values())


def test_the_hardware_is_told_with_its_units(tmp_path: Path) -> None:
    root = tree(tmp_path, proc__cpuinfo=CPUINFO, proc__stat=STAT)
    tree(root, proc__self__cgroup=CGROUP_2, proc__self__mountinfo=MOUNTS_2)
    written(root, {"sys/fs/cgroup/cpu.max": "150000 100000\n", "sys/fs/cgroup/memory.max": f"{2**31}\n"})

    facts = description.hardware(root)

    assert facts["CPU"] == "A CPU @ 2.00GHz"
    assert (facts["CPU time limit"], facts["Memory limit"]) == ("1.5 CPUs", "2.0 GiB")
    assert facts["CPU time stolen since boot"] == "0.5 %"
    total_kib = int(Path("/proc/meminfo").read_text().splitlines()[0].split()[1])
    assert facts["Memory"] == f"{total_kib / 2**20:.1f} GiB"


def test_a_run_describes_its_machine_in_words(running_services: Services) -> None:
    facts = description.describe(CpuSets((0,), (1,), (1,)), running_services.database_url)

    expected = {
        "CPU",
        "CPUs",
        "Memory",
        "System",
        "Python",
        "PostgreSQL",
        "Packages",
        "Suite",
        "Commit",
        "Cores",
    }
    assert expected <= facts.keys()
    assert facts["CPUs"] == f"{len(os.sched_getaffinity(0))} (servers on CPU 0, load and database on CPU 1)"
    assert facts["Python"] == platform.python_version()
    assert facts["Suite"] == f"sidebyside {version('sidebyside')}"
    assert json.loads(json.dumps(facts)) == facts


def test_packages_are_all_that_the_suite_needs_the_main_ones_first() -> None:
    told = description.packages("sidebyside").split(", ")

    assert told[:2] == [f"flask {version('flask')}", f"werkzeug {version('werkzeug')}"]
    assert {f"{name} {version(name)}" for name in ("starlette", "pydantic-core", "numpy")} <= {*told}
    assert len(told) == len({*told})
    assert not [one for one in told if one.startswith(("sidebyside ", "ruff ", "mypy "))]


def test_optional_dependencies_count_where_they_are_asked_for() -> None:
    assert "psycopg-binary" in description.dependencies("sidebyside")  # by psycopg[binary]
    assert "psycopg-binary" not in description.dependencies("psycopg")


def test_a_distribution_that_is_not_installed_needs_nothing() -> None:
    assert description.dependencies("no-such-distribution") == set()


def test_outside_a_checkout_there_is_no_commit(tmp_path: Path) -> None:
    unknown = "not known outside a checkout"

    assert description.revision(tmp_path) == {"Commit": unknown, "Changed files": unknown}


@NEEDS_GIT
def test_the_commit_of_another_projects_checkout_is_not_taken_for_ours(tmp_path: Path) -> None:
    checkout(tmp_path, "app.py")

    assert description.revision(tmp_path)["Commit"] == "not known outside a checkout"


@NEEDS_GIT
def test_the_commit_is_told_apart_from_whether_files_were_changed(tmp_path: Path) -> None:
    commit = checkout(tmp_path, "description.py")
    clean = description.revision(tmp_path)
    (tmp_path / "description.py").write_text("changed")

    assert clean == {"Commit": commit[:12], "Changed files": "no"}
    assert description.revision(tmp_path) == {"Commit": commit[:12], "Changed files": "yes"}


def checkout(folder: Path, file: str) -> str:
    """A repository with one commit that holds the file; gives the commit."""
    (folder / file).write_text("first")
    git(folder, "init", "--quiet")
    git(folder, "add", file)
    git(
        folder, "-c", "user.name=A", "-c", "user.email=a@localhost", "commit", "--quiet", "--message", "first"
    )
    return git(folder, "rev-parse", "HEAD")


def git(folder: Path, *arguments: str) -> str:
    ended = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return ended.stdout.strip()

"""A run on a disk that is full, or with a file that may not grow."""

import resource
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.command import PROGRAM, run_here, survivors
from tests.support.interrupted import Cut, cut, planned_and_measured, samples, told_of

pytestmark = pytest.mark.usefixtures("temporary")


@dataclass(frozen=True)
class Disk:
    """A small disk that only processes in the holder's mount namespace see, at `place`."""

    place: Path
    holder: int

    @property
    def from_here(self) -> Path:
        return Path(f"/proc/{self.holder}/root{self.place}")

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        enter = ("nsenter", "-t", str(self.holder), "-m", "-w")
        return subprocess.run(
            [*enter, *PROGRAM, *arguments], capture_output=True, text=True, timeout=180, check=False
        )

    def fill(self, left_bytes: int) -> Path:
        """A file that leaves no more room than that."""
        filler = self.from_here / "filler"
        filler.write_bytes(bytes(shutil.disk_usage(self.from_here).free - left_bytes))
        return filler


@contextmanager
def small_disk() -> Iterator[Disk]:
    """A disk of 16 MiB in memory, gone with the block."""
    mount = 'mount -t tmpfs -o size=16m none "$0" && echo mounted && exec cat'
    with tempfile.TemporaryDirectory() as place:
        argv = ["unshare", "-m", "sh", "-c", mount, place]
        with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "mounted\n"
            try:
                yield Disk(Path(place), holder.pid)
            finally:
                holder.kill()


def can_mount() -> bool:
    with tempfile.TemporaryDirectory() as place:
        argv = ["unshare", "-m", "mount", "-t", "tmpfs", "none", place]
        return subprocess.run(argv, capture_output=True, check=False).returncode == 0


CAN_MOUNT = can_mount()


@pytest.mark.skipif(not CAN_MOUNT, reason="may not mount a disk: a file that may not grow is tried instead")
def test_a_full_disk_ends_the_run_in_one_line_and_loses_nothing(first_cut: Cut) -> None:
    with small_disk() as disk:
        folder, seen = str(disk.place / "run"), disk.from_here / "run"
        shutil.copytree(first_cut.folder, seen)
        before = samples(seen)
        filler = disk.fill(left_bytes=16_384)

        ended = disk.run("bench", "--resume", folder)
        after = samples(seen)
        filler.unlink()
        reported, partial = run_here("report", str(seen)), told_of(seen)
        resumed, complete = disk.run("bench", "--resume", folder), told_of(seen)
        planned, measured = planned_and_measured(seen)

    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr
    assert "No space left on device" in ended.stderr.splitlines()[-1]
    assert ended.stderr.endswith(
        f"1 finished round kept; continue with: sidebyside bench --resume {folder}\n"
    )
    assert after == before
    assert (reported.returncode, partial) == (0, ("partial", 1))
    assert (resumed.returncode, complete) == (0, ("complete", 2)), resumed.stderr
    assert measured == planned


@pytest.mark.skipif(CAN_MOUNT, reason="a full disk is tried")
def test_a_file_that_may_not_grow_ends_the_run_in_one_line(begun_run: Path) -> None:
    before = samples(begun_run)

    def forbid(process: "subprocess.Popen[str]", _: object) -> None:
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (16_384, 16_384))

    ended = cut(forbid, "bench", "--resume", str(begun_run))

    assert ended.status == 2
    assert "File too large" in ended.line
    assert ended.line.endswith(f"1 finished round kept; continue with: sidebyside bench --resume {begun_run}")
    assert survivors(ended.begun) == []
    assert samples(begun_run) == before

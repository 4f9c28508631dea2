"""The garbage collections of a server, as its Python processes count and time them (`observer/sitecustomize.py`)."""

from dataclasses import astuple, dataclass, replace
from pathlib import Path

from shared.ops.count_file import COLLECTIONS, INCOMPLETE_COLLECTIONS, SLOT_BYTES, VALUES, slots

OBSERVER = Path(__file__).with_name("observer")  # for the front of PYTHONPATH


@dataclass(frozen=True, slots=True)
class Collections:
    """Summed over the processes of a server, by generation; `gen2_longest_ns` is the longest of any of them.

    Times are wall times, save `gen2_cpu_ns`, which is the CPU time of the threads that collected. The fields are in the
    order of a slot's values.
    """

    gen0_count: int
    gen0_ns: int
    gen1_count: int
    gen1_ns: int
    gen2_count: int
    gen2_ns: int
    gen2_cpu_ns: int
    gen2_longest_ns: int

    def since(self, before: "Collections") -> "Collections":
        """What came after an earlier reading; the longest is already that since the last reading."""
        passed = [now - then for now, then in zip(astuple(self), astuple(before), strict=True)]
        return replace(Collections(*passed), gen2_longest_ns=self.gen2_longest_ns)


LENGTH = len(Collections.__slots__)


def take(file: str) -> Collections | None:
    """Read the collections so far and forget the longest, so that the next reading has the longest of its own time.

    None when no process of the server can tell, or one cannot; OSError: there is no such file. A longest that a process
    writes at this very moment may be kept: read while the server is idle.
    """
    with Path(file).open("r+b", buffering=0) as shared:
        rows = list(slots(shared.read()))
        kinds = [row[0] for row in rows]
        if COLLECTIONS not in kinds or INCOMPLETE_COLLECTIONS in kinds:
            return None
        for index, kind in enumerate(kinds):
            if kind == COLLECTIONS:
                shared.seek(index * SLOT_BYTES + 8 * (VALUES + LENGTH - 1))
                shared.write(bytes(8))
    columns = list(
        zip(*(row[VALUES : VALUES + LENGTH] for row in rows if row[0] == COLLECTIONS), strict=True)
    )
    return replace(Collections(*map(sum, columns)), gen2_longest_ns=max(columns[-1]))

"""The garbage collections of a server, as its Python processes count and time them (`observer/sitecustomize.py`)."""

from array import array
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
ASKED, SETTLING = VALUES + LENGTH, VALUES + LENGTH + 1  # places in a slot
WHOLE = 1 << 32


def ask_to_settle(file: str, share: float) -> None:
    """Have each Python process of a server bring its collector into its long-run state at its next collection.

    share: of the way to its next full collection, from 0 to 1 (see `settle` in observer/sitecustomize.py); drawn anew
    for each launch, so that pauses fall anywhere. 0 takes the wish back, where it is not yet fulfilled.
    """
    with Path(file).open("r+b", buffering=0) as shared:
        for index, row in enumerate(slots(shared.read())):
            if row[0] == COLLECTIONS:
                shared.seek(index * SLOT_BYTES + 8 * ASKED)
                shared.write(array("Q", [max(1, round(share * WHOLE)) if share else 0]).tobytes())


def is_settling(file: str) -> bool:
    """Whether a process is at it right now."""
    return any(row[0] == COLLECTIONS and row[SETTLING] % 2 for row in slots(Path(file).read_bytes()))


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

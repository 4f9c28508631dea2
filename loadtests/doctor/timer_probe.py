"""How late this process wakes from short sleeps. Run as `python -I -S naps.py COUNT`: prints one number a line.

Each is the nanoseconds by which a sleep of NAP_S took longer. Nothing is imported, so that a child starts at once.
"""

import sys
import time

NAP_S = 0.001


def naps(count: int) -> list[int]:
    """Nanoseconds beyond NAP_S, one a sleep."""
    late_ns = []
    for _ in range(count):
        begun_ns = time.monotonic_ns()
        time.sleep(NAP_S)
        late_ns.append(time.monotonic_ns() - begun_ns - round(NAP_S * 1e9))
    return late_ns


if __name__ == "__main__":
    sys.stdout.writelines(f"{late_ns}\n" for late_ns in naps(int(sys.argv[1])))

"""How late this process wakes from sleeps. Run as `python -I -S timer_probe.py COUNT`: prints one number per line.

Each is the nanoseconds by which a sleep of SLEEP_S overran. Few imports, so that the process starts at once.
"""

import sys
import time

SLEEP_S = 0.001


def late_wakeups_ns(count: int) -> list[int]:
    """Nanoseconds beyond SLEEP_S, one per sleep."""
    late_ns = []
    for _ in range(count):
        begun_ns = time.monotonic_ns()
        time.sleep(SLEEP_S)
        late_ns.append(time.monotonic_ns() - begun_ns - round(SLEEP_S * 1e9))
    return late_ns


if __name__ == "__main__":
    sys.stdout.writelines(f"{late_ns}\n" for late_ns in late_wakeups_ns(int(sys.argv[1])))

"""Runs one child process and says what it cost, from the kernel's own account of that child (Linux and macOS).

`python measure.py SAID COMMAND...` runs it, puts its stdout into the file SAID and prints the cost as JSON; `run` does that in a process of its own, since a child's peak
memory counts what its parent held when it was started, and this file imports nothing heavy.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time


class Failed(Exception):
    """The child ended with an error; what it said is already on stderr."""


def run(command: list[str], environment: dict[str, str] | None = None, said: str = os.devnull) -> dict[str, float | int]:
    """{cpu_seconds: user + system of all threads and descendants, wall_seconds, peak_rss_kib: resident memory in KiB}."""
    done = subprocess.run([sys.executable, __file__, said, *command], env=environment, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise Failed(f"exit {done.returncode} (128 + n: killed by signal n): {' '.join(command)}")
    return json.loads(done.stdout)


def main(said: str, command: list[str]) -> int:
    started = time.monotonic()
    with open(said, "wb") as file:
        child = subprocess.Popen(command, stdout=file)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        return child.returncode if child.returncode > 0 else 128 - child.returncode
    cost = {
        "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 3),
        "wall_seconds": round(time.monotonic() - started, 3),
        "peak_rss_kib": usage.ru_maxrss // (1024 if sys.platform == "darwin" else 1),
    }
    print(json.dumps(cost))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))

"""How long the commands take that need no torch: wall seconds of a whole process, after one warm-up.

    python benchmarks/startup.py [--runs 7]
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path

COMMANDS = (["--help"], ["methods"], ["tasks"], ["models"], ["leaderboard", "--help"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=7)
    options = parser.parse_args()
    program = str(Path(sys.executable).with_name("peftbench"))
    for words in COMMANDS:
        seconds = []
        for turn in range(options.runs + 1):
            started = time.perf_counter()
            subprocess.run([program, *words], check=True, stdout=subprocess.DEVNULL)
            if turn:
                seconds.append(time.perf_counter() - started)
        print(f"peftbench {' '.join(words)}: median {statistics.median(seconds):.2f} s, highest {max(seconds):.2f} s")


if __name__ == "__main__":
    main()

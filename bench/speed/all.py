"""Every table in turn, each as a command of its own, within bounds.

python -m bench.speed all --quick      a look at all of them, in minutes
python -m bench.speed all --save       the figures of docs/performance.md
"""

import argparse
import signal
import subprocess
import sys
import time
from pathlib import Path

from bench.speed.__main__ import TABLES
from bench.speed.peers import HERE

PATIENCE = 30 * 60.0
"""Seconds that one table may take."""

QUICK = {
    "create": ("--calls", "300", "--callers", "1", "16", "64"),
    "stream": ("--calls", "100"),
    "first_event": ("--streams", "1", "64", "--seconds", "2"),
    "open_streams": ("--streams", "200", "--seconds", "3"),
    "chain": ("--calls", "10"),
    "store_size": ("--interactions", "20000", "--calls", "100"),
    "embedded": ("--callers", "1", "4", "--turns", "1"),
    "second_turn": ("--tokens", "500"),
    "scaling": ("--processes", "1", "2", "--nodes", "--calls", "300"),
}
"""What is asked of a table for a look at it."""

BESIDE_PEERS = ("create", "stream")
"""Tables that peers are measured in too."""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    how = options.add_mutually_exclusive_group()
    how.add_argument("--quick", action="store_true", help="one round of each, and a small one")
    how.add_argument("--save", action="store_true", help="keep the figures for docs/performance.md")
    options.add_argument("--peers", type=Path, default=HERE, metavar="DIR", help="where peers are installed")
    options.add_argument("--only", nargs="+", choices=list(TABLES), default=list(TABLES), help="not all, but these")
    given = options.parse_args()
    failed = [name for name in given.only if not _measure(name, given)]
    if failed:
        raise SystemExit(f"not measured: {', '.join(failed)}")


def _measure(name: str, given: argparse.Namespace) -> bool:
    """Run it. Returns whether it came to its end."""
    command = [sys.executable, "-m", "bench.speed", name]
    if given.quick:
        command += ["--rounds", "1", *QUICK.get(name, ())]
    if given.save:
        command.append("--save")
    if name in BESIDE_PEERS:
        command += ["--peers", str(given.peers)]
    print(f"\n== {name}: {TABLES[name]}", flush=True)
    begun = time.monotonic()
    running = subprocess.Popen(command)
    try:
        running.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        running.send_signal(signal.SIGINT)  # so that it ends the servers that it started
        running.wait()
    print(f"\n{name} {'failed' if running.returncode else 'ended'} after {time.monotonic() - begun:.0f} s", flush=True)
    return running.returncode == 0

"""`python -m bench.speed TABLE [options]`, and what there is to do with all tables."""

import importlib
import sys

TABLES = {
    "create": "what a stored create costs, at 1 to 256 callers",
    "stream": "what a stored stream of 100 deltas costs, and how many deltas are relayed",
    "first_event": "how long words are under way, with 1, 64 and 1,000 streams open",
    "open_streams": "memory for each of 1,000 open streams, and CPU time for each word",
    "chain": "what a turn costs behind up to 1,000 others, on SQLite and on PostgreSQL",
    "store_size": "what calls cost on a store of 1,000,000 interactions",
    "start": "how long a start takes, from the command to the first answers, and what it holds in memory",
    "install": "how large an installation is, package by package",
    "scaling": "how throughput grows with processes, on SQLite and on PostgreSQL",
    "embedded": "how fast the embedded engine speaks through the API, beside the same engine asked directly",
    "second_turn": "how much sooner the second turn of a long chat speaks than one that was not read before",
}

COMMANDS = {
    "all": "every table in turn; --quick for a look at them",
    "count": "how many functions a call runs through, which a test holds on record",
    "peers": "sets up the servers that are measured beside turnwise, or says whether they answer",
    "report": "writes docs/performance.md and its plots from the figures that were kept",
}


def main() -> None:
    known = TABLES | COMMANDS
    if len(sys.argv) < 2 or sys.argv[1] not in known:
        tables, commands = (
            "\n".join(f"  {name:<14} {what}" for name, what in some.items()) for some in (TABLES, COMMANDS)
        )
        raise SystemExit(f"python -m bench.speed TABLE [--rounds N] [--save] [...]\n\n{tables}\n\n{commands}")
    name = sys.argv.pop(1)
    importlib.import_module(f"bench.speed.{name}").main()


if __name__ == "__main__":
    main()

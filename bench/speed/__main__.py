"""`python -m bench.speed TABLE [options]`."""

import importlib
import sys

TABLES = {
    "create": "what a stored create costs, at 1 to 256 callers",
    "stream": "what a stored stream of 100 deltas costs, and how many deltas are relayed",
}


def main() -> None:
    if len(sys.argv) < 2 or sys.argv[1] not in TABLES:
        tables = "\n".join(f"  {name:<14} {what}" for name, what in TABLES.items())
        raise SystemExit(f"python -m bench.speed TABLE [--rounds N] [--save] [...]\n\n{tables}")
    name = sys.argv.pop(1)
    importlib.import_module(f"bench.speed.{name}").main()


if __name__ == "__main__":
    main()

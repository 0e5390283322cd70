"""How fast turnwise is, beside the least that a server can do: one command for each table of `docs/performance.md`.

    python -m bench.speed                  which tables there are
    python -m bench.speed create           what one of them says, on this machine
    python -m bench.speed create --save    the same, kept for `docs/performance.md`
    python -m bench.speed all --save       all of them
    python -m bench.speed report           writes what was kept into `docs/performance.md`

A table starts all that it needs, on this machine only: an upstream that answers at once (`upstream.py`), the floor
(`floor.py`), turnwise, and peers that are installed (`peers.py`). Servers are measured one after the other, again and
again (A B A B), so that what else the machine does falls on all of them; what is printed are medians of the rounds,
with the lowest and the highest.
Trust the ratios of one run, and the CPU time, which waiting does not lengthen. Seconds of different runs say little.
"""

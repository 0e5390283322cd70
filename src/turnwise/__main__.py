"""`python -m turnwise`: the same as the command `turnwise`."""

from turnwise.cli import main

main()

"""What is kept: the contract (`store.py`), and one file for each engine that keeps it."""

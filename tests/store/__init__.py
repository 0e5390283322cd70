"""Tests of the stores, each for what it alone does; what all promise is in `contract/test_store.py`."""

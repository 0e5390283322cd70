"""The contracts: one body of tests for each, tried on everything that says it keeps it."""

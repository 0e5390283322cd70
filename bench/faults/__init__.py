"""Faults: what clients of several nodes see while processes are killed, the database restarts and cables are cut."""

"""What things are: content, steps, events, interactions and errors, as pure values.

No I/O, no async, no JSON: every other room imports this one, and this one imports nothing of ours.
"""

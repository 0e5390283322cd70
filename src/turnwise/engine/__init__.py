"""How a turn runs. Read `run.py` first: history, model, end. `interactions.py` is what the outside asks for."""

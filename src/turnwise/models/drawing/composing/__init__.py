"""Makes a scene of a request. `composer.py` is where to begin; `choosing.py` says which surroundings, `arranging.py`
and `relating.py` where everything stands, `members.py` makes many of one, `surroundings.py` adds what belongs there."""

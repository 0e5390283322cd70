"""Who answers: the contract (`model.py`), the catalogue of names, and one file for each kind of backend."""

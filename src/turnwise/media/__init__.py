"""What comes in that is not text. `media.py` is the contract."""

"""What the words of a prompt say about a picture. `vocabulary.py` has the words, `reading.py` reads, `other_tongues.py`
turns what is not English into the words that `reading.py` knows."""

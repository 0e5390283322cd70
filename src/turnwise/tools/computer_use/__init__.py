"""Using a computer: the model says what to do, the client does it and shows what the screen looks like then.

`tool.py` is the tool; `actions.py` says what can be done in a browser, on a phone or a desktop; `safety.py` what the
user is asked about before it is done.
"""

"""Tools by rule: what a request asks for and with which values, read without a model.

For models that have never heard of functions, such as the default one. `choosing.py` says which functions a request
asks for, `filling.py` which of its values is which argument, `calling.py` what the model is still asked; `serving.py`
says which of the server's own tools it asks for, and `reporting.py` what is said of their results. `ruled.py` puts a
turn together. Of functions that others declare nothing is known here: all is matched against their declarations.
"""

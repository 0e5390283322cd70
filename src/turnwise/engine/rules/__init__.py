"""Function calls by rule: what a request asks for and with which values, read without a model.

For models that have never heard of functions, such as the default one. `choosing.py` says which functions a request
asks for, `filling.py` which of its values is which argument, `calling.py` what the model is still asked, and `ruled.py`
puts a turn together. Nothing here knows any tool: all is matched against what the tools' declarations say.
"""

"""What runs inside of a sandbox, beside the model's code and as untrusted as it. It imports nothing of turnwise's: in
the strongest sandbox there is nothing else of turnwise.
"""

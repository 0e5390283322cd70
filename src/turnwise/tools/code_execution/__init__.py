"""Running Python that a model writes, in a sandbox."""

"""What a model may do besides speaking."""

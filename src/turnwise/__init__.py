"""turnwise: a self-hosted server for the Interactions API."""

__version__ = "0.1.0"

"""This process as an engine: the oracle."""

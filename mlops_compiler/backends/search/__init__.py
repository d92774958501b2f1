"""The search as a pure race, without an engine."""

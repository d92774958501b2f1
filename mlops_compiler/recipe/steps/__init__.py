"""The sections of `prepare:`, a class a step."""

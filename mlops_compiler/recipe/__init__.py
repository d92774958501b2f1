"""The recipe language as Pydantic models, one file a phase."""

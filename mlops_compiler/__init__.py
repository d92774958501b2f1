"""A compiler for the life of a machine-learning model, from one recipe."""

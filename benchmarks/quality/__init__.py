"""How good: scores, seconds and memory of this project beside its peers, on the same rows and cores."""

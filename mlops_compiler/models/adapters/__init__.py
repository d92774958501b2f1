"""What computes: numpy here, scikit-learn and torch inside the functions that fit."""

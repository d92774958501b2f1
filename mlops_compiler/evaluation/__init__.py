"""What predictions are worth: metrics, curves, and the threshold that a value matrix asks for."""

"""Recipe text becomes a composed configuration that knows where each value was written, then a Recipe."""

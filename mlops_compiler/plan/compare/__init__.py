"""Two runs side by side: what they were made of, and what came of each. Reads the store, and writes nothing."""

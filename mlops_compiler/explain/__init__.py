"""What a trained model looks at, what it adds up, and where it is wrong: computed from its answers, stored as data."""

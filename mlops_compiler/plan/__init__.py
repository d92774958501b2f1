"""What would run, what is reused, and why."""

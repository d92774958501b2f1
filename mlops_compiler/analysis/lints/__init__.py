"""Best practices, one rule a file; file = function = code, with underscores for hyphens."""

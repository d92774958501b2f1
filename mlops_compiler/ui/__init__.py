"""A dashboard over one store: it reads, it shows, and it changes nothing."""

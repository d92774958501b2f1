"""Serving: a release scores requests and files, the same bits in both; it knows no Ray."""

"""Notifications: what is told, to whom, when it was told before, and how it is sent."""

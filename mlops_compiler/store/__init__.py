"""Artifacts and history."""

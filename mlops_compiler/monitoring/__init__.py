"""Monitoring: what services logged, joined with what came of it; reads what runs recorded, and no recipe."""

"""Runs a plan on an engine and tells what happens."""

"""The ops of a program, filed by phase of the lifecycle."""

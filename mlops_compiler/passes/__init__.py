"""The optimising passes, one file each."""

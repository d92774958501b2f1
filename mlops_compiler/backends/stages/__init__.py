"""The bodies of the stages, one file each."""

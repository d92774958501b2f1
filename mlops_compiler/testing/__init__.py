"""What authors of plugins test with: laws that every plugin of a sort must keep. Needs pytest and Hypothesis."""

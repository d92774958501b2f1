"""What runs a plan: stages, search, and the engines under them."""

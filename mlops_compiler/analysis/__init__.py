"""From a recipe to its typed program."""

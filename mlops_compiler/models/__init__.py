"""The kinds of model: what a recipe may say of each, and the adapters that fit, store and score them."""

"""Tables as Polars expressions: sources, contracts, steps, matrices; the same ones for training and serving."""

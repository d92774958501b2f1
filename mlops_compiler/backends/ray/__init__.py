"""Ray as an engine: the DAG, Tune, Serve."""

"""The service of a release beside other servers that serve the same model: latency, throughput, CPU of a request."""

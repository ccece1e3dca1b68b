"""Measures a function: latency with percentiles, the split of a request, throughput, memory."""

"""Speed, memory and latency of GazeShift beside its peers; run `python -m benchmarks`."""

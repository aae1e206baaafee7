"""Side-by-side measurements, losing figures included: `make bench`, or `python -m benchmarks`."""

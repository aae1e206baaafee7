"""Side-by-side measurements: ratios of medians from alternating runs, losing figures included."""

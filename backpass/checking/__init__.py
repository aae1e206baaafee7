"""Is this gradient right? Differences along lines, the points to try, and what is reported."""

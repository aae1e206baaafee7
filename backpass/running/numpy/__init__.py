"""NumPy source: a program as one function that needs nothing but NumPy."""

"""Tables of anybody's data: what a sample is in a CSV, NPY, NPZ or IDX file."""

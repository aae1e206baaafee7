"""Programs compiled: loops of machine code and BLAS, one call for each epoch."""

"""Programs compiled: loops and matrix products in machine code, one call for each epoch."""

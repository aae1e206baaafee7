"""Networks as most people want them: the data, the layers and the training around a derivation."""

"""Training speed, side by side: the same networks, data, batches and first weights for all."""

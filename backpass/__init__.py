"""Write the forward pass, read the backward pass, run both."""

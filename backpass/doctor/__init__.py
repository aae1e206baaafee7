"""What people's own backpropagation code does: watched, read back, and held to the derived pass."""

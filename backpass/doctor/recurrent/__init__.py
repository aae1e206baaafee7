"""Recurrent networks in people's own code: a layer that reads its own past, taken back in time."""

"""What functions are called in front of people."""

# Functions of one entry that stand inside a loss are shown under the name that people call.
CALLED = {
    "logistic_loss": "binary_cross_entropy",
    "bernoulli_loss": "binary_cross_entropy",
    "huber_entry": "huber",
    "cross_entropy_of_shares": "cross_entropy",
    "cross_entropy_of_weights": "cross_entropy",
}


def called(name: str) -> str:
    """The name under which a function is shown."""
    return CALLED.get(name, name)

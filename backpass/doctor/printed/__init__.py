"""Which program printed these numbers? A stated network, trained with each known mistake."""

"""People's submissions held to a key that is derived: each in a process of its own."""

"""The repaired line: written in the user's own names, put into their code, and run."""

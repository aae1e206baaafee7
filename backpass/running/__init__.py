"""From a program to what machines run: source text, and runs of it."""

"""From what people write, functions and formulas, to a program."""

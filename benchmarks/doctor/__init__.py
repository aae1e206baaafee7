"""How well other people's code is read: correct programs, and the same with known mistakes."""

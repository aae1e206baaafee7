"""Formulas that people write for a gradient, held to the derived one and repaired."""

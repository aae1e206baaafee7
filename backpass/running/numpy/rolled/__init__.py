"""Equal layers written once: the unrolled source, rolled up into a loop or a recursion.

Layers are equal when their lines are the same text but for the names in it. Rolling them up
renames and nothing else, so every style computes the same numbers, bit for bit.
"""

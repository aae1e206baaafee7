"""What a program is: labels, terms, loop nests, and nothing of derivatives."""

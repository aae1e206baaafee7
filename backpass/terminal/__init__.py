"""What is said on a terminal: answers, pages, and the demo."""

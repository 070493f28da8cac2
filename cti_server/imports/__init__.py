"""Importing customers from a file: what it may look like, what each row means, and what became of it."""

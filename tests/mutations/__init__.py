"""Planted bugs: each is one wrong line that a test must notice."""

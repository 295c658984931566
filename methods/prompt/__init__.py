"""Trained vectors stand before the input."""

"""Layers share the bulk of their update."""

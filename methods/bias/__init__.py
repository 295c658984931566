"""Vectors train: biases, norms, scales."""

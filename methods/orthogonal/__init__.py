"""The update is a rotation of the weights."""

"""Some of the model's own parameters train."""

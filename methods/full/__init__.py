"""Nothing is frozen."""

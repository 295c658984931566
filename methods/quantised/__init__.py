"""The frozen weights are kept in few bits."""

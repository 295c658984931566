"""Another rule for updating what trains."""

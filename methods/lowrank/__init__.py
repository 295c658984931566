"""The update of a matrix is a product of thin matrices."""

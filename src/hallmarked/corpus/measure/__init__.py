"""States that grow batch by batch and merge, so that parts of a data set can be measured apart."""

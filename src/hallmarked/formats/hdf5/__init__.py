"""HDF5 metadata: what a file holds and what it points to, without reading the data."""

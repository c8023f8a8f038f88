"""One module for each change of the schema, named after its place in the order."""

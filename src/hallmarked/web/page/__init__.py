"""The pages: one module a group, each with the contexts its templates see and the functions that build them."""

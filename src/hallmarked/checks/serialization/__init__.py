"""Can loading a file run code, reach outside its folder or exhaust the reader? One module per family of formats."""

"""Git's object model over the hub's own table; no git program is run."""

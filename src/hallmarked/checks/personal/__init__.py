"""Personal data and secrets in tables: how much, of which kinds, where; never the data themselves."""

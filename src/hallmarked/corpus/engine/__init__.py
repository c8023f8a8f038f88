"""How the parts of something large are computed: in confined processes, on this machine or on many."""

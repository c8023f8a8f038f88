"""The operations of a training run: from the architecture, and from a log of the run, and the two compared."""

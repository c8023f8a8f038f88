"""Under which licence something is offered, and whether that is what its parts allow."""

"""From what is in use back to the data: the chain of digests, and who answers for each stage."""

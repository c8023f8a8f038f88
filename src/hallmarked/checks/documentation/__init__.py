"""What the card of a model or dataset says, and what it leaves out."""

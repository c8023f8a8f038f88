"""A card as a document: its bytes, what it declares for machines, and edits that touch nothing else."""

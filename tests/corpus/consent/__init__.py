"""Who allowed what with their data."""

"""What a card is asked for: templates by kind and risk tier, as versioned files."""

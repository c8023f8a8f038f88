"""Cards and evidence in the formats of other standards."""

"""How documents look that stand alone: one style sheet, and the marks of statuses."""

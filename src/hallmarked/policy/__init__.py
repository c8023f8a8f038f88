"""Gates: a policy decides on statements for one context."""

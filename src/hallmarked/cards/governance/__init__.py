"""How a project is run: decisions, who answers for what, and counts that are queries and are never typed."""

"""The database's schema over time: Alembic's scripts, and what opens, compares and upgrades a database with them."""

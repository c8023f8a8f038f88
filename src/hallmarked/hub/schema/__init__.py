"""Tables of the hub, on SQLite and PostgreSQL alike.

Ids are random text; times are milliseconds since the epoch, UTC.
"""

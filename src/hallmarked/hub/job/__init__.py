"""Work that goes on beside requests: the audit of every revision, wholly done or done again."""

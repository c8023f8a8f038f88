"""Chat templates and other Jinja: programs that a loading library renders. Parsed here, never rendered or compiled."""

"""Who people are: accounts, organisations, sessions, tokens, and messages to them."""

"""What an administrator does to a hub: copies, proofs, clean-up, and accounts that end."""

"""Credentials that were published by mistake. What is found never leaves this package in clear."""

"""The registry of consents: requests, proofs of who asks, receipts, the list for builds, private look-up."""

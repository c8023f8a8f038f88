"""NIST AI 600-1, the profile of the AI Risk Management Framework for generative AI, in both editions."""

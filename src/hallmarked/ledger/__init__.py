"""Signing, the Merkle log, and the verification an outsider runs offline."""

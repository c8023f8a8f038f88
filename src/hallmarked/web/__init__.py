"""The hub over HTTP: the protocol that the ecosystem's clients speak, and pages for people."""

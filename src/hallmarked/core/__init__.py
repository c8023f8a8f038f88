"""The frozen nouns and protocols every other package speaks in. Standard library only."""

"""Makers of new revisions: each writes files and a provenance statement that ties them to their inputs."""

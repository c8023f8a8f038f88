"""The digest of a folder: in-toto ``dirHash``, which binds names and bytes.

https://github.com/in-toto/attestation/blob/main/spec/v1/digest_set.md
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping


def dir_hash(files: Mapping[str, str]) -> str:
    """Return the in-toto ``dirHash`` (lower-case hex) of a folder.

    Args:
        files: Relative ``/``-separated path to SHA-256 in lower-case hex, for every file.

    Raises:
        ValueError: When a path holds a line break or a backslash, which would make the recipe ambiguous.
    """
    digest = hashlib.sha256()
    for path, sha256 in sorted(files.items(), key=lambda item: item[0].encode()):
        if "\n" in path or "\\" in path:
            raise ValueError(f"path {path!r} holds a line break or a backslash")
        digest.update(f"{sha256}  {path}\n".encode())
    return digest.hexdigest()

"""A package as a folder or as an archive of which every byte counts."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

from hallmarked.artifacts.local import LocalArtifact
from hallmarked.core.errors import InputError, VerificationError

MANIFEST = "package.json"
MOST_FILES = 10_000
MOST_BYTES = 1 << 28
"""Of a whole package, which is held in memory."""
MOST_NAMED = 10
_MOMENT = (1980, 1, 1, 0, 0, 0)


def write_zip(contents: Mapping[str, bytes]) -> bytes:
    """Write a package as an archive of which every byte follows from its files: sorted, stored, without times."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for path, data in sorted(contents.items()):
            info = zipfile.ZipInfo(path, _MOMENT)
            info.external_attr = 0o644 << 16
            info.create_system = 3
            archive.writestr(info, data)
    return stream.getvalue()


def read_package(path: Path) -> Mapping[str, bytes]:
    """Read a package: a folder, or an archive.

    Raises:
        InputError: When there is none, or it is larger than any package.
        VerificationError: When an archive is not as it was written.
    """
    artifact = LocalArtifact(path)
    if sum(file.size for file in artifact.files) > 2 * MOST_BYTES or len(artifact.files) > MOST_FILES:
        raise InputError(f"{path} is larger than any package")
    if artifact.is_file:
        with artifact.open(artifact.files[0].path) as stream:
            return _read_zip(stream.read(), path.name)
    if artifact.omitted or artifact.excluded:
        names = ", ".join([*(each.path for each in artifact.omitted), *artifact.excluded][:MOST_NAMED])
        raise VerificationError(f"{path} holds what no package does: {names}", link="package")
    contents = {}
    for file in artifact.files:
        with artifact.open(file.path) as stream:
            contents[file.path] = stream.read()
    return contents


def _read_zip(data: bytes, name: str) -> Mapping[str, bytes]:
    """Read an archive that this program wrote; any other one is refused, so that every byte of it counts."""
    contents: dict[str, bytes] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            infos = archive.infolist()
            if len(infos) > MOST_FILES or any(info.compress_type != zipfile.ZIP_STORED for info in infos):
                raise VerificationError(f"{name} is no archive of a package", link="package")
            contents = {info.filename: archive.read(info) for info in infos}
    except (zipfile.BadZipFile, ValueError, NotImplementedError, RuntimeError, OSError, EOFError) as error:
        raise VerificationError(f"{name} cannot be read as an archive: {error}", link="package") from error
    if MANIFEST in contents and write_zip(contents) != data:
        raise VerificationError(f"{name} holds bytes beside the files of the package", link="package")
    return contents

"""A model folder packed into one archive, seen as the folder it holds.

The archive stays what evidence is bound to, and it is examined as an archive too; this view lets the checks that look
for a card, a licence or code find them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import BinaryIO

from hallmarked.artifacts.local import LocalArtifact
from hallmarked.core.artifact import Artifact, File, Omission
from hallmarked.core.errors import BackendError, FormatError, NotFound
from hallmarked.core.evidence import Subject
from hallmarked.formats.archive.compressed import CODECS, expand
from hallmarked.formats.archive.model import Entry, Listing, is_absolute, leaves
from hallmarked.formats.archive.tar import read_tar
from hallmarked.formats.archive.zip import read_zip
from hallmarked.formats.blob import Blob, Budget
from hallmarked.formats.identify import identify

LOADED_WHOLE = frozenset(
    ("data.pkl", "constants.pkl", "archive_format", "schema.json", "model_config.yaml", "model.weights.h5")
)
"""Members that make an archive one file for a library (PyTorch, TorchScript, skops, NeMo, Keras) and not a folder, when
they lie where it looks for them: at the top, or in the one folder around everything."""


class PackedArtifact:
    """The files inside of an archive.

    Args:
        archive: The archive, as a single file.
        listing: What it holds.
        base: The artifact this one says it was made from.
    """

    excluded: Sequence[str] = ()
    beside: Mapping[str, Artifact] = MappingProxyType({})

    def __init__(self, archive: LocalArtifact, listing: Listing, base: Artifact | None) -> None:
        self._archive, self.base = archive, base
        self._entries: dict[str, Entry] = {}
        self.omitted: list[Omission] = []
        names = [entry.name for entry in listing.entries]
        top = _common_folder(names)
        for entry in listing.entries:
            path = entry.name.removeprefix(top)
            if not path or path.endswith("/"):
                continue
            reason = _reason(entry, path in self._entries)
            if reason:
                self.omitted.append(Omission(entry.name, reason))
            else:
                self._entries[path] = entry

    @property
    def name(self) -> str:
        """The archive's name."""
        return self._archive.name

    @property
    def files(self) -> Sequence[File]:
        """The members, sorted by path, bytewise; a single folder around everything is left away."""
        return [File(path, self._entries[path].size) for path in sorted(self._entries, key=str.encode)]

    @property
    def container(self) -> File | None:
        """The archive itself."""
        return self._archive.files[0]

    @property
    def subject(self) -> Subject:
        """The archive's SHA-256: that is what people pass on."""
        return self._archive.subject

    def digests(self) -> Mapping[str, str]:
        """SHA-256 of the archive."""
        return self._archive.digests()

    def open(self, path: str) -> BinaryIO:
        """Open a member, or the archive itself under its own name.

        Raises:
            NotFound: When no file has that path.
            BackendError: When it cannot be read.
        """
        if path == self._archive.name and path not in self._entries:
            return self._archive.open(path)
        entry = self._entries.get(path)
        if entry is None or entry.expand is None:
            raise NotFound(f"no file {path} in {self.name}")
        try:
            expanded = entry.expand()
        except FormatError as error:
            raise BackendError(f"{path} cannot be unpacked: {error}") from error
        for irregularity in expanded.irregularities:
            raise BackendError(f"{path} cannot be unpacked: {irregularity.message}")
        return expanded.blob.open()


def unpacked(artifact: LocalArtifact) -> PackedArtifact | None:
    """Return the folder view of a single file, or nothing when it is not a packed folder.

    An archive that one library loads as a whole (a PyTorch checkpoint, a Keras model) is a file, not a folder.
    """
    if not artifact.is_file:
        return None
    name, size = artifact.files[0].path, artifact.files[0].size
    try:
        listing = _listing(Blob(name, size, lambda: artifact.open(name)), Budget(size))
    except FormatError:
        return None  # the serialization check says what is wrong with it
    names = [entry.name for entry in listing.entries if not entry.name.endswith("/")] if listing else []
    top = _common_folder(names)
    is_whole = any(name.removeprefix(top) in LOADED_WHOLE for name in names)
    if listing is None or not names or is_whole or all(name.endswith(".npy") for name in names):
        return None
    return PackedArtifact(artifact, listing, artifact.base)


def _listing(blob: Blob, budget: Budget) -> Listing | None:
    kinds = identify(blob)
    codec = next((kind for kind in kinds if kind in CODECS), None)
    if codec:
        blob = expand(blob, budget, codec).blob
        kinds = identify(blob)
    if "zip" in kinds:
        return read_zip(blob, budget)
    return read_tar(blob, budget) if "tar" in kinds else None


def _common_folder(names: Sequence[str]) -> str:
    """Return the one folder that everything lies in, with its slash; empty when there is none."""
    tops = {name.partition("/")[0] for name in names}
    return f"{tops.pop()}/" if len(tops) == 1 and all("/" in name for name in names) else ""


def _reason(entry: Entry, repeated: bool) -> str:
    """Say why a member is not a file of the folder; empty when it is."""
    if entry.expand is None:
        return entry.unreadable or "cannot be read"
    if repeated:
        return "second member of that name"
    if leaves(entry.name) or is_absolute(entry.name):
        return "name that leads out of the folder"
    return "name holds a line break or a backslash" if "\n" in entry.name or "\\" in entry.name else ""

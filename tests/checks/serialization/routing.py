"""Helpers for the tests of routing: the whole check over files in memory, and small containers."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Mapping

from hallmarked.checks.runner import Result
from hallmarked.checks.serialization.check import SerializationCheck
from hallmarked.core.evidence import Level
from tests.support import MemoryArtifact

EVIL = b"cos\nsystem\n(S'id'\ntR."
"""Calls ``os.system('id')`` when it is unpickled."""
EVIL4 = b"\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x02id\x85R."
"""The same in protocol 4."""
PLAIN = b"\x80\x02}q\x00X\x01\x00\x00\x00aq\x01K\x01s."
"""A dictionary."""


def check(files: Mapping[str, bytes | str] | bytes) -> Result:
    """Run the check over files; bytes alone are a file of an arbitrary name."""
    artifact = MemoryArtifact(files if isinstance(files, Mapping) else {"file": files})
    result = Result(SerializationCheck.id, SerializationCheck.version)
    for item in SerializationCheck().run(artifact):
        result.add(item)
    return result


def rules(result: Result) -> set[str]:
    """Return the ids of all findings."""
    return {finding.rule for finding in result.findings}


def errors(result: Result) -> set[str]:
    """Return the ids of the findings of level error."""
    return {finding.rule for finding in result.findings if finding.level is Level.ERROR}


def verdicts(result: Result) -> dict[str, str]:
    """Return the verdict of every file and member that has one."""
    return {m.slice["path"]: m.value for m in result.measurements if m.metric == "file.verdict"}


def formats(result: Result) -> dict[str, str]:
    """Return the formats of every file and member that has a verdict."""
    return {m.slice["path"]: m.value for m in result.measurements if m.metric == "file.format"}


def numbers(result: Result) -> dict[str, int]:
    """Return how many files were examined, inert and not examined."""
    return {m.metric: int(m.value) for m in result.measurements if m.metric.startswith("files.")}


def zipped(members: Mapping[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    """Pack members into a zip archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0)), data, method)
    return buffer.getvalue()


def tarred(members: Mapping[str, bytes | tarfile.TarInfo]) -> bytes:
    """Pack members into a tar archive; a header alone is taken as it is."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, data in members.items():
            if isinstance(data, tarfile.TarInfo):
                archive.addfile(data)
                continue
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def torch_zip(pickle: bytes = PLAIN, **members: bytes) -> bytes:
    """Write what ``torch.save`` would: the object, storages (arguments ``data_0``, …) and bookkeeping."""
    storages = {f"m/data/{name[5:]}": data for name, data in members.items()}
    return zipped({"m/data.pkl": pickle, "m/byteorder": b"little", **storages, "m/version": b"3\n"})

"""HDF5: which files, code and filters would a reader of this file open, and does the data fit its description?

https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html. Keras keeps a model's configuration in attributes,
PyTables and pandas keep pickles there; both are examined wherever they occur.
"""

from __future__ import annotations

from collections.abc import Iterator

from hallmarked.checks.serialization.brief import brief
from hallmarked.checks.serialization.contract import Reference, Seen
from hallmarked.checks.serialization.embedded import may_be_pickle, pickle_inside
from hallmarked.checks.serialization.keras import judge_config, looks_like_config
from hallmarked.checks.serialization.vocabulary import leaves_folder, shown
from hallmarked.core.evidence import Finding, Gap, Level, Location, Rule
from hallmarked.formats.blob import GIB, Blob, Budget
from hallmarked.formats.hdf5.file import Attribute, Dataset, Link, Unread, read_hdf5
from hallmarked.formats.hdf5.message import OPAQUE, STRING, VLEN

HDF001 = Rule(
    "HDF001",
    Level.ERROR,
    "Opening the file makes the reader open a file outside of the model's folder",
    "Do not open the file where it could read something private; ask for a version that holds its own data.",
)
HDF002 = Rule(
    "HDF002",
    Level.WARNING,
    "Part of the data lies in another file",
    "Check that the named file belongs to the model and was examined too.",
)
HDF003 = Rule(
    "HDF003",
    Level.WARNING,
    "The data can only be read with a filter plug-in that is not widely known",
    "Find out which native library the filter needs before you install it.",
)
HDF004 = Rule(
    "HDF004",
    Level.WARNING,
    "An array unfolds to far more memory than the file holds",
    "Read the array in parts, or ask the author why it is stored like this.",
)
HDF005 = Rule(
    "HDF005",
    Level.WARNING,
    "A link or array is of a kind that only special software can follow",
    "Ask the author which software wrote the file.",
)
RULES = (HDF001, HDF002, HDF003, HDF004, HDF005)

# Filters of the HDF5 library itself (1 to 6), of h5py, and registered plug-ins that scientific Python often installs:
# https://github.com/HDFGroup/hdf5_plugins/blob/master/docs/RegisteredFilterPlugins.md
_FILTERS = frozenset({1, 2, 3, 4, 5, 6, 305, 307, 32000, 32001, 32004, 32008, 32013, 32015, 32017, 32026})
_MARK = b"object"


@brief
def examine_hdf5(blob: Blob, budget: Budget) -> Iterator[Seen]:
    """Examine an HDF5 file, and the Keras configurations and pickles in its attributes.

    Raises:
        FormatError: When the file or a configuration in it is broken.
    """
    location = Location(blob.path)
    configs: list[tuple[Attribute, bytes]] = []
    for part in read_hdf5(blob, budget):
        if isinstance(part, Link):
            yield from _judge_link(part, location)
        elif isinstance(part, Dataset):
            yield from _judge_dataset(part, blob.size, budget, location)
            yield from _pickle_in_data(part, blob)
        elif isinstance(part, Unread):
            yield Gap(f"{shown(part.path)} was not followed: {part.what}", location)
        else:
            yield from _judge_attribute(part, blob, location)
            if (text := part.text) and looks_like_config(text):
                configs.append((part, text))
    # Last, since one that is broken ends the examination.
    for attribute, text in configs:
        place = Location(f"{blob.path}!{_name(attribute)}")
        yield from judge_config(text, place, budget)


def _name(attribute: Attribute) -> str:
    return f"{attribute.path.rstrip('/')}@{attribute.name}"


def _judge_link(link: Link, location: Location) -> Iterator[Seen]:
    if link.kind == "external":
        yield from _elsewhere(f"the link {shown(link.path)} leads into", Reference(link.file, location))
    elif link.kind == "user":
        yield Finding.of(HDF005, f"the link {shown(link.path)} is user-defined ({shown(link.target)})", location)
        yield Gap(f"it is not known where the user-defined link {shown(link.path)} leads", location)


def _elsewhere(what: str, reference: Reference) -> Iterator[Seen]:
    """Report another file that a reader would open."""
    message, target = f"{what} {shown(reference.target)}", reference.target[:200]
    if leaves_folder(reference.target):
        yield Finding.of(HDF001, message, reference.location, target=target)
    else:
        yield Finding.of(HDF002, message, reference.location, target=target)
        yield reference


def _judge_dataset(dataset: Dataset, size: int, budget: Budget, location: Location) -> Iterator[Seen]:
    for part in dataset.external:
        reference = Reference(part.file, location, part.offset, part.size)
        yield from _elsewhere(f"the array {shown(dataset.path)} takes its data from", reference)
    for source in sorted(set(dataset.sources) - {"."}):
        yield from _elsewhere(
            f"the virtual array {shown(dataset.path)} takes its data from", Reference(source, location)
        )
    for step in dataset.filters:
        if step.id not in _FILTERS:
            message = f"the array {shown(dataset.path)} needs filter {step.id} ({shown(step.name)})"
            yield Finding.of(HDF003, message, location, filter=str(step.id))
            yield Gap(f"it is not known what filter {step.id} would do", location)
    stored = size if dataset.stored is None else dataset.stored
    if dataset.unfolded > GIB and dataset.unfolded > budget.limits.expansion_ratio * stored and not dataset.external:
        message = f"the array {shown(dataset.path)} unfolds from {stored:,} to {dataset.unfolded:,} bytes"
        yield Finding.of(HDF004, message, location)
        yield Gap(f"it is not known whether the array {shown(dataset.path)} fits into memory", location)


def _pickle_in_data(dataset: Dataset, blob: Blob) -> Iterator[Seen]:
    """Hand on an array of bytes or a string that reads as a pickle: some libraries keep objects that way."""
    byte_like = dataset.datatype.kind in (STRING, OPAQUE) or dataset.datatype.size == 1
    if dataset.place is None or not byte_like or dataset.datatype.kind == VLEN:
        return
    size = min(dataset.unfolded, dataset.stored or 0)
    if part := pickle_inside(blob, dataset.place, size, dataset.path):
        yield part


def _judge_attribute(attribute: Attribute, blob: Blob, location: Location) -> Iterator[Seen]:
    if attribute.name == "PSEUDOATOM" and attribute.text == _MARK:
        # PyTables unpickles every row of such an array, and data is not read here.
        message = f"the array {shown(attribute.path)} holds Python objects that PyTables unpickles"
        yield Finding.of(HDF005, message, location)
        yield Gap(f"the pickles in the array {shown(attribute.path)} were not read", location)
    for value in attribute.values:
        if may_be_pickle(value):
            yield Blob.of_bytes(f"{blob.path}!{_name(attribute)}", value.rstrip(b"\0"), blob.depth + 1)

"""A small writer of protocol buffers for tests."""

from __future__ import annotations


def varint(value: int) -> bytes:
    """Encode an unsigned number."""
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def number(field: int, value: int) -> bytes:
    """Encode a number field."""
    return varint(field << 3) + varint(value)


def part(field: int, *contents: bytes | str) -> bytes:
    """Encode a length-delimited field: text, bytes, or a message from its fields."""
    data = b"".join(c.encode() if isinstance(c, str) else c for c in contents)
    return varint(field << 3 | 2) + varint(len(data)) + data


def node(name: str, op: str, *inputs: str, **attributes: bytes) -> bytes:
    """Encode a TensorFlow node; each attribute is an encoded value."""
    fields = [part(1, name), part(2, op), *(part(3, i) for i in inputs)]
    return b"".join([*fields, *(part(5, part(1, key), part(2, value)) for key, value in attributes.items())])


def text_constant(name: str, value: str) -> bytes:
    """Encode a TensorFlow constant that is one text."""
    return node(name, "Const", value=part(8, number(1, 7), part(8, value)))


def graph(*nodes: bytes, functions: tuple[bytes, ...] = ()) -> bytes:
    """Encode a TensorFlow graph."""
    library = part(2, *(part(1, f) for f in functions)) if functions else b""
    return b"".join(part(1, n) for n in nodes) + library + part(4, number(1, 2000))


def function(name: str, *nodes: bytes) -> bytes:
    """Encode a TensorFlow function."""
    return part(1, part(1, name)) + b"".join(part(3, n) for n in nodes)


def saved_model(graph_def: bytes, *extra: bytes) -> bytes:
    """Encode a SavedModel with one graph."""
    return number(1, 1) + part(2, part(1, part(4, "serve")), part(2, graph_def), *extra)

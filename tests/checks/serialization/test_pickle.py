"""The pickle examiners: what is proven, what is not, and how it is graded."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hallmarked.checks.serialization.contract import FileVerdict, Known, Seen
from hallmarked.checks.serialization.pickle import RULES, examine_pickle, examine_torch_object
from hallmarked.core.errors import FormatError
from hallmarked.core.evidence import Finding, Gap, Level, Measurement
from hallmarked.formats.blob import Blob, Budget
from tests.support import DATA, needs_data


def judge(data: bytes, storages: Mapping[str, int] | None = None) -> tuple[FileVerdict, list[Seen]]:
    """Examine bytes as the router would; files inside of constants are examined in turn."""
    blob, seen, broken = Blob.of_bytes("x", data), list[Seen](), False
    examined = (
        examine_pickle(blob, Budget(len(data)))
        if storages is None
        else examine_torch_object(blob, Budget(len(data)), storages)
    )
    try:
        for item in examined:
            seen.append(item)
            if isinstance(item, Blob | Known):
                content = item.blob if isinstance(item, Known) else item
                verdict, inner = judge(content.read_all(Budget(content.size)))
                seen.extend([*inner, *([] if verdict == FileVerdict.PROVEN else [Gap("inside")])])
    except FormatError:
        broken = True
    bad = any(isinstance(item, Gap) or (isinstance(item, Finding) and item.level is Level.ERROR) for item in seen)
    return FileVerdict.MALFORMED if broken else FileVerdict.UNPROVEN if bad else FileVerdict.PROVEN, seen


def verdict(data: bytes, storages: Mapping[str, int] | None = None) -> FileVerdict:
    return judge(data, storages)[0]


def worst(seen: list[Seen]) -> str:
    return max(
        (item.level for item in seen if isinstance(item, Finding)), key=lambda level: level.rank, default=Level.NOTE
    )


def rules_of(seen: list[Seen]) -> set[str]:
    return {item.rule for item in seen if isinstance(item, Finding)}


def call(name: str, *args: Any, protocol: int = 4) -> bytes:
    """Write a pickle that calls ``module:name`` with constants."""
    module, _, attribute = name.partition(":")
    body = b"".join(pickle.dumps(arg, 2)[2:-1] for arg in args)
    return b"\x80%c" % protocol + f"c{module}\n{attribute}\n".encode() + b"(" + body + b"tR."


GADGET_TABLE = """
os:system posix:system nt:system subprocess:Popen subprocess:run builtins:eval builtins:exec builtins:compile
builtins:__import__ builtins:open builtins:breakpoint builtins:input builtins:globals builtins:setattr
importlib:import_module runpy:run_path runpy:_run_code code:interact codeop:compile_command socket:create_connection
ssl:get_server_certificate http.client:HTTPSConnection urllib.request:urlopen requests.api:get
aiohttp.client:ClientSession httpx:get ftplib:FTP smtplib:SMTP imaplib:IMAP4_stream webbrowser:open pip:main
pip._internal:main ensurepip:_run_pip venv:create pty:spawn shutil:rmtree sys:exit sys:settrace ctypes:CDLL
_ctypes:dlopen cffi:FFI marshal:loads pickle:loads _pickle:load shelve:open dill:loads cloudpickle:loads joblib:load
joblib.numpy_pickle:load numpy:load pandas:read_pickle torch:load torch.serialization:load torch.hub:load cProfile:run
profile:run pdb:run bdb:Bdb trace:Trace timeit:timeit doctest:debug_script idlelib.run:Executive
idlelib.pyshell:ModifiedInterpreter lib2to3.pgen2.grammar:Grammar pydoc:pipepager pydoc:locate pkgutil:resolve_name
logging.config:dictConfig logging:FileHandler asyncio:create_subprocess_shell
asyncio.unix_events:_UnixSubprocessTransport multiprocessing.util:spawnv_passfds distutils.file_util:write_file
distutils.spawn:spawn uuid:_get_command_stdout _osx_support:_read_output _aix_support:_read_cmd_output
_pyrepl.pager:pipe_pager test.support.script_helper:assert_python_ok numpy.testing._private.utils:runstring
numpy.f2py.crackfortran:myeval numpy.f2py.crackfortran:getlincoef numpy.distutils.exec_command:exec_command
torch.utils.collect_env:run torch.utils.bottleneck.__main__:run_cprofile torch.jit.unsupported_tensor_ops:execWrapper
torch._inductor.codecache:compile_file torch._dynamo.guards:GuardBuilder
torch.utils._config_module:ConfigModule.load_config torch.utils.cpp_extension:load torch.ops:load_library
torch.fx.experimental.symbolic_shapes:ShapeEnv.evaluate_guards_expression pandas.core.computation.eval:eval
pandas:eval torch.utils.data.datapipes.utils.decoder:basichandlers commands:getoutput zipimport:zipimporter
gc:get_objects atexit:register yaml:unsafe_load site:addsitedir pathlib:Path.write_text telnetlib:Telnet
xmlrpc.client:ServerProxy paramiko:SSHClient psutil:Popen antigravity:geohash sqlite3:connect
numpy:memmap.__reduce__ numpy:memmap
builtins:eval.__call__ collections:os.system anything.at.all:system some.library.utils:eval
builtins:type.__subclasses__
"""
GADGETS = sorted(GADGET_TABLE.split())


@pytest.mark.parametrize("name", GADGETS)
@pytest.mark.parametrize("protocol", [2, 4])
def test_known_gadgets_are_errors(name: str, protocol: int) -> None:
    """Calling what advisories name is an error, whatever the arguments and the protocol."""
    found, seen = judge(call(name, "x", protocol=protocol))
    assert found == FileVerdict.UNPROVEN
    assert worst(seen) == Level.ERROR


UNVETTED = {
    "unknown library": call("acme.models:Net", 1),
    "unknown class of a known library": call("torch.nn.modules.linear:Evil"),
    "unlisted function of a listed module": call("collections:namedtuple", "a", "b"),
    "prefix of a listed module": call("torch._utils.more:_rebuild_tensor_v2"),
    "dotted walk from a listed name": b"\x80\x04\x8c\x0bcollections\x8c\x14OrderedDict.fromkeys\x93)R.",
    "import without call": b"cacme\nnet\n.",
    "listed class created in another way": b"\x80\x02cuuid\nUUID\nVx\n\x85R.",
    "class without its arguments": b"\x80\x02ccollections\ndefaultdict\n)\x81.",
    "computed name": b"\x80\x04Vos\ncacme\nname\n)R\x93.",
    "computed target": b"\x80\x02cfunctools\npartial\ncnumpy\nlog\n\x85R)R.",
    "extension registry": b"\x80\x02\x82\x05.",
    "persistent id": b"\x80\x02K\x01Q.",
    "buffer from outside": b"\x80\x05\x97.",
    "unvetted factory": b"\x80\x02ccollections\ndefaultdict\ncacme\nf\n\x85R.",
    "factory with rules of its own": b"\x80\x02ccollections\ndefaultdict\nctorch.storage\n_load_from_bytes\n\x85R.",
    "partial of a function with rules": b"\x80\x02cfunctools\npartial\nctorch.storage\n_load_from_bytes\n\x85R.",
    "function with rules kept as a value": b"\x80\x02]cbuiltins\ngetattr\na.",
    "state that replaces a method": b"\x80\x02cargparse\nNamespace\n)\x81}V__setstate__\ncnumpy\nlog\nsb.",
    "class replaced by a slot state": b"\x80\x02cargparse\nNamespace\n)\x81(N}V__class__\ncuuid\nUUID\nstb.",
    "two states": b"\x80\x02cargparse\nNamespace\n)\x81}b}b.",
    "items for a plain instance": b"\x80\x02cargparse\nNamespace\n)\x81K\x01K\x02s.",
    "reconstructor of an unvetted class": b"ccopy_reg\n_reconstructor\n(cacme\nC\nc__builtin__\nobject\nNtR.",
    "getattr on an instance": b"\x80\x02cbuiltins\ngetattr\n]Vappend\n\x86R.",
    "transforming codec": call("_codecs:encode", "x", "zlib"),
    "array of pointers": b"\x80\x02cnumpy.core.multiarray\nscalar\ncnumpy\ndtype\n(VO8\nI0\nI1\ntRC\x0812345678\x86R.",
    "ufunc of another module": call("numpy.core:_ufunc_reconstruct", "os", "system"),
    "array of a foreign class": b"\x80\x03cnumpy.core.multiarray\n_reconstruct\ncuuid\nUUID\nK\x00\x85C\x01b\x87R.",
    "keyword arguments": b"\x80\x04cargparse\nNamespace\n)}V_a\nK\x01s\x92.",
    "python 2 name kept in protocol 4": b"\x80\x04c__builtin__\nset\n]\x85R.",
}  # fmt: skip


@pytest.mark.parametrize("name", UNVETTED)
def test_whatever_is_not_vetted_is_a_gap(name: str) -> None:
    """Each way to leave the vetted set makes the file unproven, with a finding."""
    found, seen = judge(UNVETTED[name])
    assert found == FileVerdict.UNPROVEN
    assert rules_of(seen)


HOSTILE = {
    "state written into a module": b"\x80\x02csome\nmodule\n}Vx\nK\x01sb.",
    "getattr to a gadget": b"\x80\x02cbuiltins\ngetattr\ncos\nenviron\nVget\n\x86R.",
    "getattr to internals": b"\x80\x02cbuiltins\ngetattr\nccollections\nOrderedDict\nV__subclasses__\n\x86R.",
    "methodcaller of a gadget": call("operator:methodcaller", "system"),
    "partial of a gadget": b"\x80\x02cfunctools\npartial\ncos\nsystem\n\x85R.",
    "gadget in a list for map": b"\x80\x02cbuiltins\nmap\ncos\nsystem\n]Vls\na\x86R.",
    "gadget as a factory": b"\x80\x02ccollections\ndefaultdict\ncos\nsystem\n\x85R.",
    "gadget in a state": b"\x80\x02cargparse\nNamespace\n)\x81}Vx\ncos\nsystem\nsb.",
    "python 2 name": b"c__builtin__\neval\n(V1\ntR.",
    "inst": b"(Vls\nios\nsystem\n.",
    "obj": b"(cos\nsystem\nVls\no.",
    "second pickle": pickle.dumps(1) + call("os:system", "ls"),
    "before garbage": call("os:system", "ls")[:-1] + b"\xff\xff\xff",
    "popped result": call("os:system", "ls")[:-1] + b"0N.",
    "memo trick": b"\x80\x04\x8c\x02os\x94\x8c\x06system\x94000h\x00h\x01\x93Vls\n\x85R.".replace(b"000", b"00"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_constructions_are_errors(name: str) -> None:
    """Roundabout ways to reach a gadget are found, and what was found stays whatever follows."""
    found, seen = judge(HOSTILE[name])
    assert found != FileVerdict.PROVEN
    assert worst(seen) == Level.ERROR


def test_importing_a_gadget_without_calling_it_is_not_called_execution() -> None:
    """A mere import of a dangerous name is a gap and a warning."""
    found, seen = judge(b"cbuiltins\nexec\n.")
    assert (found, worst(seen)) == (FileVerdict.UNPROVEN, Level.WARNING)


def test_a_memo_kept_between_pickles_is_judged_too() -> None:
    """A second pickle that is harmless alone but not after the first one's memo is unproven."""
    first = b"\x80\x04\x8c\x02os\x94\x8c\x06system\x940."
    second = b"\x80\x04\x8c\x0bcollections\x94\x8c\x0bOrderedDict\x940h\x00h\x01\x93)R."
    assert verdict(second) == FileVerdict.PROVEN
    assert verdict(pickle.dumps(1, 4) + second) == FileVerdict.PROVEN
    found, seen = judge(first + second)
    assert found == FileVerdict.UNPROVEN
    assert worst(seen) == Level.ERROR


def test_joblib_files_are_judged_as_plain_pickles_too() -> None:
    """Array data that a plain reader would execute make a joblib file unproven."""
    wrapper = (
        b"\x80\x04\x8c\x13joblib.numpy_pickle\x8c\x11NumpyArrayWrapper\x93)\x81"
        b"}(\x8c\x08subclass\x8c\x05numpy\x8c\x07ndarray\x93\x8c\x05shapeK%c\x85\x8c\x05order\x8c\x01C"
        b"\x8c\x05dtype\x8c\x05numpy\x8c\x05dtype\x93\x8c\x02u1\x89\x88\x87Rub"
    )
    hidden = b"cos\nsystem\nVls\n\x85R."
    assert verdict(wrapper % 3 + b"\0\0\0.") == FileVerdict.PROVEN
    found, seen = judge(wrapper % len(hidden) + hidden + b".")
    assert found == FileVerdict.UNPROVEN
    assert worst(seen) == Level.ERROR


def test_trailing_bytes_are_reported_with_their_offset() -> None:
    """Bytes behind STOP that are no pickle are a finding at their offset."""
    data = pickle.dumps([1], 4)
    found, seen = judge(data + b"\0\0\0")
    assert found == FileVerdict.UNPROVEN
    finding = next(item for item in seen if isinstance(item, Finding))
    assert (finding.rule, finding.location and finding.location.offset) == ("PKL009", len(data))


def test_imports_are_listed() -> None:
    """The measurement names every import once, sorted, Python 2 names as written."""
    _, seen = judge(b"\x80\x02c__builtin__\nset\n]\x85R0ccollections\nOrderedDict\n)R0ccollections\nOrderedDict\n)R.")
    listed = next(item for item in seen if isinstance(item, Measurement) and item.metric == "pickle.globals")
    assert (listed.value, listed.n) == ("__builtin__.set collections.OrderedDict", 2)


def test_many_findings_are_bounded() -> None:
    """A file full of imports gives a bounded number of findings and says that there are more."""
    data = b"".join(b"cm%d\nn\n0" % number for number in range(5000)) + b"N."
    _, seen = judge(data)
    assert len(seen) < 200
    assert any(isinstance(item, Gap) and "further" in item.reason for item in seen)
    assert all(len(item.value) <= 20_100 for item in seen if isinstance(item, Measurement))


def torch_object(
    key: bytes = b"0", count: int = 12, shape: bytes = b"K\x03K\x04\x86", stride: bytes = b"K\x04K\x01\x86"
) -> bytes:
    return (
        b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n((Vstorage\nctorch\nFloatStorage\n"
        + b"V" + key + b"\nVcpu\nK%ctQ" % count
        + b"K\x00" + shape + stride + b"\x89ccollections\nOrderedDict\n)RtR."
    )  # fmt: skip


def test_tensors_of_an_archive() -> None:
    """A tensor is proven when its storage is a member of sufficient size and holds every element."""
    assert verdict(torch_object(), {"0": 48}) == FileVerdict.PROVEN
    for data, storages in (
        (torch_object(), {"0": 47}),
        (torch_object(), {"1": 48}),
        (torch_object(), {}),
        (torch_object(shape=b"K\x03K\x05\x86"), {"0": 48}),
        (torch_object(stride=b"K\x40K\x01\x86"), {"0": 48}),
        (torch_object(key=b"../0"), {"0": 48}),
    ):
        assert verdict(data, storages) == FileVerdict.UNPROVEN
    assert worst(judge(torch_object(stride=b"K\x40K\x01\x86"), {"0": 48})[1]) == Level.ERROR
    assert verdict(torch_object()) == FileVerdict.UNPROVEN


def test_a_second_pickle_behind_the_object_is_reported() -> None:
    """PyTorch stops at the first pickle of the member; more is a gap, and is judged."""
    assert verdict(torch_object() + pickle.dumps(1), {"0": 48}) == FileVerdict.UNPROVEN
    assert worst(judge(torch_object() + call("os:system", "x"), {"0": 48})[1]) == Level.ERROR


@given(st.binary(max_size=300))
@settings(max_examples=150)
def test_arbitrary_bytes_never_escape(data: bytes) -> None:
    """Arbitrary bytes give findings or a format error, never another exception."""
    judge(data)
    judge(b"\x80\x04" + data, {"0": 4})


def test_every_finding_cites_a_listed_rule() -> None:
    """Rules are listed, unique, and every finding of the tables above cites one."""
    known = {rule.id for rule in RULES}
    assert len(known) == len(RULES)
    for data in [*UNVETTED.values(), *HOSTILE.values()]:
        assert rules_of(judge(data)[1]) <= known


def corpus() -> list[Any]:
    labels = DATA / "model-files" / "labels.json"
    if not labels.is_file():
        return []
    return [file for file in json.loads(labels.read_text())["files"] if file["format"] in ("pickle", "torch")]


@needs_data
@pytest.mark.parametrize("file", corpus(), ids=lambda file: file["path"])
def test_development_corpus(file: Mapping[str, str]) -> None:
    """Malicious files are errors, benign ones are proven, files with odd content are reported, junk is malformed."""
    data = (DATA / "model-files" / file["path"]).read_bytes()
    storages = None
    if data.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = {info.filename: info.file_size for info in archive.infolist()}
            member = next(name for name in names if name.endswith("data.pkl"))
            prefix = member.removesuffix("data.pkl") + "data/"
            storages = {name.removeprefix(prefix): size for name, size in names.items() if name.startswith(prefix)}
            data = archive.read(member)
    found, seen = judge(data, storages)
    label = file["label"]
    if label == "malicious":
        assert found != FileVerdict.PROVEN
        assert worst(seen) == Level.ERROR
    elif label == "benign":
        assert found == FileVerdict.PROVEN
        assert not rules_of(seen)
    elif label == "junk":
        assert found == FileVerdict.MALFORMED
    else:
        assert rules_of(seen)
        assert worst(seen) != Level.ERROR

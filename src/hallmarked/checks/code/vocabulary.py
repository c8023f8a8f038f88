"""Which functions of Python and its common libraries do what, by their dotted names.

Names as documented at https://docs.python.org/3/library/; a set lists what its name says and nothing else. A dotted
name that ends in ``.`` stands for everything below it.
"""

from __future__ import annotations

from collections.abc import Iterable


def _words(*lines: str) -> frozenset[str]:
    return frozenset(" ".join(lines).split())


def _under(module: str, names: str) -> set[str]:
    return {f"{module}.{name}" for name in names.split()}


PROCESS = frozenset(
    _under(
        "os",
        "system popen popen2 popen3 popen4 startfile posix_spawn posix_spawnp spawnl spawnle spawnlp spawnlpe spawnv",
    )
    | _under("os", "spawnve spawnvp spawnvpe execl execle execlp execlpe execv execve execvp execvpe")
    | _under("subprocess", "run call check_call check_output Popen getoutput getstatusoutput")
    | _under("posix", "system popen execv execve posix_spawn")
    | _under("nt", "system popen execv startfile spawnv")
    | _under("asyncio", "create_subprocess_exec create_subprocess_shell")
    | _under("asyncio.subprocess", "create_subprocess_exec create_subprocess_shell")
    | _under("pexpect", "spawn run")
    | _under("commands", "getoutput getstatusoutput")
    | {"pty.spawn", "_posixsubprocess.fork_exec", "platform.popen", "popen2.popen2", "pip.main", "pip._internal.main"}
)
"""Start a program."""

EXECUTE = frozenset(
    {"builtins.exec", "builtins.eval", "builtins.execfile", "runpy.run_path", "runpy.run_module", "code.interact"}
    | {"timeit.timeit", "timeit.repeat", "cProfile.run", "pdb.run", "types.FunctionType", "types.CodeType"}
    | {"builtins.compile", "numexpr.evaluate", "pandas.eval", "importlib._bootstrap_external._compile_bytecode"}
)
"""Run text, or a code object, as code."""
PLAIN_EXECUTE = EXECUTE - {
    "builtins.compile",
    "numexpr.evaluate",
    "pandas.eval",
    "timeit.timeit",
    "timeit.repeat",
    "types.FunctionType",
}
"""Those of them of which the mere use is worth telling."""

DECODE = frozenset(
    _under(
        "base64",
        "b64decode b32decode b32hexdecode b16decode b85decode a85decode urlsafe_b64decode standard_b64decode decode",
    )
    | _under("base64", "decodebytes decodestring z85decode")
    | _under("binascii", "a2b_base64 a2b_hex a2b_uu unhexlify a2b_qp")
    | {"zlib.decompress", "gzip.decompress", "bz2.decompress", "lzma.decompress", "codecs.decode", "marshal.loads"}
    | {"builtins.bytes.fromhex", "builtins.bytearray.fromhex", "zlib.decompressobj", "quopri.decodestring", "uu.decode"}
    | {"cryptography.fernet.Fernet"}
)
"""Turn what cannot be read into what can be run."""

NETWORK = (
    *(
        "requests.",
        "urllib.request.",
        "urllib2.",
        "urllib3.",
        "httpx.",
        "aiohttp.",
        "http.client.",
        "httplib.",
        "ftplib.",
    ),
    *(
        "socket.",
        "smtplib.",
        "telnetlib.",
        "paramiko.",
        "websocket.",
        "websockets.",
        "pycurl.",
        "wget.",
        "urllib.urlopen",
    ),
    *(
        "urllib.urlretrieve",
        "asyncio.open_connection",
        "http.server.",
        "socketserver.",
        "xmlrpc.client.",
        "dns.resolver.",
    ),
)
"""Reach other machines."""
_INERT_NETWORK = frozenset(
    {
        "socket.gethostname",
        "socket.timeout",
        "socket.error",
        "requests.exceptions",
        "requests.Session",
        "requests.Response",
    }
    | {
        "urllib.request.Request",
        "aiohttp.ClientTimeout",
        "httpx.Timeout",
        "urllib3.disable_warnings",
        "requests.adapters",
    }
    | {"urllib3.util", "urllib.request.pathname2url", "urllib.request.url2pathname", "httpx.Limits", "requests.auth"}
)

_METADATA = _words("__version__ __name__ __doc__ __file__ __path__ __package__ __all__ __author__ __title__")

LISTEN = frozenset({"socket.socket", "socket.create_connection", "asyncio.open_connection"})
"""Open a raw connection."""

DESERIALIZE = frozenset(
    _under("pickle", "load loads Unpickler")
    | _under("_pickle", "load loads Unpickler")
    | _under("cPickle", "load loads Unpickler")
    | _under("dill", "load loads load_session load_module")
    | _under("cloudpickle", "load loads")
    | _under("shelve", "open Shelf DbfilenameShelf")
    | _under("jsonpickle", "decode loads")
    | {"joblib.load", "pandas.read_pickle", "torch.package.PackageImporter", "sklearn.externals.joblib.load"}
    | {"yaml.unsafe_load", "yaml.full_load", "yaml.unsafe_load_all", "keras.models.load_model.unsafe", "marshal.load"}
)
"""Rebuild objects by calling whatever the data names."""

NATIVE = frozenset(
    _under("ctypes", "CDLL PyDLL WinDLL OleDLL cast memmove CFUNCTYPE WINFUNCTYPE PYFUNCTYPE string_at pythonapi")
    | _under("ctypes", "cdll.LoadLibrary windll.LoadLibrary pydll.LoadLibrary oledll.LoadLibrary")
    | {"cffi.FFI", "_ctypes.dlopen"}
)
"""Call machine code."""
INJECTION_NAMES = _words(
    "VirtualAlloc VirtualAllocEx VirtualProtect RtlMoveMemory CreateThread CreateRemoteThread",
    "WriteProcessMemory mprotect NtAllocateVirtualMemory QueueUserAPC",
)
"""Functions of an operating system that turn data into machine code."""

REMOVE = frozenset(
    {"shutil.rmtree", "os.remove", "os.unlink", "os.rmdir", "os.removedirs", "os.rename", "os.replace", "shutil.move"}
)
"""Remove or move files."""

ENVIRONMENT = frozenset({"os.environ", "os.environb"})

SENSITIVE_MODULES = _words(
    "os posix nt subprocess builtins sys pty socket ctypes marshal importlib runpy shutil commands",
    "_posixsubprocess",
)
"""Modules of which the hidden use is itself a reason to look."""

BUILTINS = _words(
    "exec eval execfile compile __import__ getattr setattr globals locals vars open input bytes bytearray",
    "map chr",
)

STAR_IMPORTS = {
    "os": [name.removeprefix("os.") for name in PROCESS if name.startswith("os.")],
    "subprocess": [name.removeprefix("subprocess.") for name in PROCESS if name.startswith("subprocess.")],
    "base64": [name.removeprefix("base64.") for name in DECODE if name.startswith("base64.")],
    "socket": ["socket", "create_connection"],
}
"""What ``from module import *`` brings that matters here."""

LOADED_BASES = (
    *("PreTrainedModel", "PretrainedConfig", "PreTrainedConfig", "PreTrainedTokenizer", "PreTrainedTokenizerFast"),
    *(
        "PreTrainedTokenizerBase",
        "ProcessorMixin",
        "ImageProcessingMixin",
        "BaseImageProcessor",
        "FeatureExtractionMixin",
    ),
    *(
        "SequenceFeatureExtractor",
        "Pipeline",
        "DiffusionPipeline",
        "ModelMixin",
        "ConfigMixin",
        "GeneratorBasedBuilder",
    ),
    *(
        "ArrowBasedBuilder",
        "BuilderConfig",
        "DatasetBuilder",
        "Module",
        "LogitsProcessor",
        "StoppingCriteria",
        "Metric",
    ),
)
"""Base classes of what libraries load from a repository by itself."""
LOADED_CLASSES = frozenset({"EndpointHandler"})


def is_network(name: str) -> bool:
    """Say whether a function reaches other machines; what a module says about itself does not."""
    return (
        within(name, NETWORK)
        and _METADATA.isdisjoint(name.split("."))
        and name not in _INERT_NETWORK
        and not within(name, (f"{inert}." for inert in _INERT_NETWORK))
    )


def within(name: str, prefixes: Iterable[str]) -> bool:
    """Say whether a dotted name is, or lies below, one of ``prefixes``."""
    return any(name.startswith(prefix) if prefix.endswith(".") else name == prefix for prefix in prefixes)

"""Pytest plugin under which the tests of ``huggingface_hub`` run against a hub of ours: see ``bench.conformance``.

It is imported by pytest in an environment of its own, next to the client and without ``hallmarked``. It points the
client at the hub before any test is collected, gives the fixtures that the tests name, and notes of each test whether
it asked the hub anything and whether it asked any other host, which it does not reach.
"""

import json
import os
import shutil
import socket
import tempfile
import urllib.request
from pathlib import Path

import pytest

ENDPOINT = os.environ["CONFORMANCE_ENDPOINT"]
RESULTS = Path(os.environ["CONFORMANCE_RESULTS"])
PEOPLE = json.loads(os.environ["CONFORMANCE_PEOPLE"])
HERE = ("127.0.0.1", "localhost", "::1")

import huggingface_hub.constants as constants  # noqa: E402 - the variables above come first
import tests.testing_constants as suite  # noqa: E402

constants._HF_DEFAULT_STAGING_ENDPOINT = constants.ENDPOINT = ENDPOINT
constants.HUGGINGFACE_CO_URL_TEMPLATE = ENDPOINT + "/{repo_id}/resolve/{revision}/{filename}"
suite.ENDPOINT_STAGING = ENDPOINT
for _name, _value in PEOPLE.items():
    setattr(suite, _name, _value)
if hasattr(suite, "ENDPOINT_STAGING_BASIC_AUTH"):
    suite.ENDPOINT_STAGING_BASIC_AUTH = ENDPOINT

# What follows copies the addresses, so that it comes behind them.
from huggingface_hub import HfApi  # noqa: E402
from tests.testing_utils import repo_name  # noqa: E402

try:
    from huggingface_hub.cli._output import out
    from huggingface_hub.utils import _detect_agent
except ImportError:  # older generations
    out = _detect_agent = None

_outside: list[str] = []
_resolve = socket.getaddrinfo


def _stay_here(host, *args, **kwargs):
    """Resolve this machine only; a test that asks for another one ends there."""
    name = host.decode() if isinstance(host, bytes) else host
    if name is not None and name not in HERE:
        _outside.append(str(name))
        pytest.skip(f"asks {name}")
    return _resolve(host, *args, **kwargs)


socket.getaddrinfo = _stay_here


def _asked() -> int:
    """Return how many requests the hub has answered, without counting this one."""
    with urllib.request.urlopen(f"{ENDPOINT}/conformance/count") as answer:
        return int(answer.read())


def pytest_configure(config):
    """Declare the marks that the suite's own configuration declares."""
    for mark in ("api", "transfer", "inference", "xet", "no_xet", "production", "deprecated", "git_lfs", "vcr"):
        config.addinivalue_line("markers", f"{mark}: of the client's own suite")


def pytest_collection_modifyitems(items):
    """Leave out the tests of the public hub."""
    for item in items:
        if item.get_closest_marker("production") is not None:
            item.add_marker(pytest.mark.skip(reason="asks the public hub"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    """Note of each test what came of it and whom it asked."""
    _outside.clear()
    item.outcomes = []
    before = _asked()
    result = yield
    failed = [text for outcome, text in item.outcomes if outcome == "failed"]
    skipped = [text for outcome, text in item.outcomes if outcome == "skipped"]
    line = {
        "test": item.nodeid,
        "outcome": "failed" if failed else "skipped" if skipped else "passed",
        "reason": (failed or skipped or [""])[0],
        "asked": _asked() > before,
        "outside": sorted(set(_outside)),
        "production": item.get_closest_marker("production") is not None,
    }
    with RESULTS.open("a") as file:
        file.write(json.dumps(line) + "\n")
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Keep why a test failed or was left out."""
    report = yield
    text = ""
    if call.excinfo is not None:
        text = " ".join(str(call.excinfo.value).split())[-300:] or call.excinfo.typename
    item.outcomes.append((report.outcome, text))
    return report


@pytest.fixture(autouse=True)
def fresh_folders(monkeypatch):
    """Give every test caches of its own."""
    with tempfile.TemporaryDirectory() as folder:
        places = {"HF_HOME": "", "HF_HUB_CACHE": "hub", "HUGGINGFACE_HUB_CACHE": "hub", "HF_XET_CACHE": "xet"}
        places |= {"HF_ASSETS_CACHE": "assets", "HF_TOKEN_PATH": "token", "HF_STORED_TOKENS_PATH": "stored_tokens"}
        for name, place in places.items():
            monkeypatch.setattr(constants, name, os.path.join(folder, place) if place else folder)
        yield


@pytest.fixture(autouse=True)
def plain_output(monkeypatch):
    """Keep colours, widths and guesses about the caller out of what is compared."""
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_EXPERIMENTAL_WARNING", True)
    if out is None or _detect_agent is None:
        return
    if hasattr(_detect_agent, "_EMPTY_REGISTRY"):
        monkeypatch.setattr(_detect_agent, "_registry", _detect_agent._EMPTY_REGISTRY)
    out.set_mode()
    if hasattr(out, "set_no_truncate"):
        out.set_no_truncate(False)


@pytest.fixture(autouse=True)
def marked(request, monkeypatch):
    """Do what the suite's marks ask for."""
    node = request.node
    if node.get_closest_marker("no_xet") is not None:
        pytest.skip("wants a client without hf_xet")
    if node.get_closest_marker("git_lfs") is not None:
        pytest.skip("wants the git-lfs program")
    if node.get_closest_marker("xet") is not None:
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", False)
        monkeypatch.delenv("HF_HUB_DISABLE_XET", raising=False)
    names = [name for mark in node.iter_markers("deprecated") for name in mark.args]
    if not names:
        yield
        return
    with pytest.warns(FutureWarning) as seen:
        yield
    assert all(any(f"'{name}'" in str(warning.message) for warning in seen) for name in names)


@pytest.fixture
def fx_cache_dir(request):
    """Give a test class a folder."""
    folder = Path(tempfile.mkdtemp())
    request.cls.cache_dir = folder
    yield
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def vcr_config():
    """Record nothing of what is asked of this machine."""
    return {"ignore_localhost": True}


@pytest.fixture(scope="session")
def api():
    """Give the client of the suite's main user."""
    return HfApi(endpoint=ENDPOINT, token=suite.TOKEN)


@pytest.fixture(scope="session")
def api_prod():
    """Give a client of the public hub, which is not reached."""
    return HfApi(endpoint=suite.ENDPOINT_PRODUCTION)


class RepoFactory:
    """Makes repositories, and removes them when the test is over."""

    def __init__(self, api):
        self.api, self.made = api, []

    def __call__(self, repo_type="model", *, repo_id=None, **options):
        """Make one; a name is found when none is given."""
        if repo_type == "space":
            options.setdefault("space_sdk", "gradio")
        url = self.api.create_repo(repo_id or repo_name(prefix=repo_type), repo_type=repo_type, **options)
        self.made.append((url.repo_id, repo_type, options.get("token")))
        return url

    def clean(self):
        """Remove what was made and is still there."""
        for name, kind, token in self.made:
            self.api.delete_repo(name, repo_type=kind, token=token, missing_ok=True)


@pytest.fixture
def repo_factory(api):
    """Give something that makes repositories for one test."""
    factory = RepoFactory(api)
    yield factory
    factory.clean()

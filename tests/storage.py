"""A real server of the S3 protocol for the tests of the hub."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

SERVE = """
import sys
import boto3
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
address = "http://%s:%d" % server.get_host_and_port()
boto3.client("s3", endpoint_url=address, region_name="us-east-1").create_bucket(Bucket="blobs")
print(address, flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="session")
def s3_url() -> Iterator[str]:
    """Address of a bucket on a server that lives as long as the tests; its credentials are in the environment.

    Give each test a prefix of its own: ``s3_url.format(prefix=…)``.
    """
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_ACCESS_KEY_ID", "tester")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "tester's secret")
        with subprocess.Popen(
            [sys.executable, "-c", SERVE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as server:
            assert server.stdout is not None
            while not (line := server.stdout.readline()).startswith("http"):
                assert line, "the server ended before it said where it listens"
            yield "s3://blobs/{prefix}?endpoint=" + line.strip()
            server.communicate("")

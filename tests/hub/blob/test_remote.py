"""What object storage alone can do: presigned addresses, and failing as a service fails."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta

import boto3
import httpx
import pytest
from botocore.config import Config

from hallmarked.core.errors import BackendError, InputError
from hallmarked.hub.blob.presign import Credentials, disposition, presign
from hallmarked.hub.blob.remote import ObjectBlobs

HOUR = timedelta(hours=1)


def stored(s3_url: str, data: bytes) -> tuple[ObjectBlobs, str]:
    store = ObjectBlobs(s3_url.format(prefix=secrets.token_hex(8)))
    with store.receive() as incoming:
        incoming.write(data)
        return store, incoming.finish().sha256


@pytest.mark.enable_socket
def test_a_presigned_address_gives_the_bytes_and_the_name(s3_url: str) -> None:
    """Anyone with the address gets ranges of the blob, saved under the name asked for."""
    store, digest = stored(s3_url, b"0123456789")
    url = store.url(digest, expires=HOUR, filename='odd "näme".bin')
    assert url is not None
    answer = httpx.get(url, headers={"range": "bytes=2-5"})
    assert (answer.status_code, answer.content) == (206, b"2345")
    assert answer.headers["content-disposition"] == disposition('odd "näme".bin')


@pytest.mark.enable_socket
def test_without_a_known_key_the_library_signs(s3_url: str) -> None:
    """Credentials that only the storage's library can find still give an address."""
    _, digest = stored(s3_url, b"abc")
    store = ObjectBlobs(s3_url.format(prefix="x"), environment={})
    url = store.url(digest, expires=HOUR, filename="a.bin")
    assert url is not None
    assert "X-Amz-Signature=" in url


@pytest.mark.parametrize("token", [None, "temporary/+="])
def test_signatures_equal_those_of_another_implementation(token: str | None) -> None:
    """Amazon's own library signs the same request with the same signature."""
    client = boto3.client(
        "s3",
        endpoint_url="https://storage.example",
        region_name="eu-west-1",
        aws_access_key_id="AKID",
        aws_secret_access_key="secret/+",
        aws_session_token=token,
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )
    theirs = client.generate_presigned_url(
        "get_object",
        Params={"Bucket": "b", "Key": "ab/cd", "ResponseContentDisposition": disposition("a b.bin")},
        ExpiresIn=900,
    )
    moment = datetime.strptime(httpx.URL(theirs).params["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    ours = presign(
        "https://storage.example/b/ab/cd",
        Credentials("AKID", "secret/+", "eu-west-1", token),
        expires=timedelta(minutes=15),
        filename="a b.bin",
        now=moment,
    )
    assert httpx.URL(ours).params == httpx.URL(theirs).params


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("model.bin", 'attachment; filename="model.bin"'),
        ("a/b/c.txt", 'attachment; filename="c.txt"'),
        ('x"\r\nA: b', "attachment; filename=\"x___A_ b\"; filename*=UTF-8''x%22%0D%0AA%3A%20b"),
        ("é.csv", "attachment; filename=\"_.csv\"; filename*=UTF-8''%C3%A9.csv"),
        ("folder/", 'attachment; filename="file"'),
    ],
)
def test_a_file_name_cannot_leave_its_header(name: str, header: str) -> None:
    """Quotes, line breaks and letters beyond ASCII are encoded."""
    assert disposition(name) == header


def test_a_secret_is_not_shown() -> None:
    """Printing credentials, say in a traceback, names the key only."""
    assert "hush" not in repr(Credentials("AKID", "hush", "eu-west-1", "hush too"))


def test_storage_that_does_not_answer_is_one_sentence(s3_url: str) -> None:
    """A closed port is a failure of the storage, not an absent blob."""
    store = ObjectBlobs("s3://blobs/x", "http://127.0.0.1:1")
    with pytest.raises(BackendError, match=r"^the hub's object storage did not do what it was asked"):
        store.size("0" * 64)


@pytest.mark.enable_socket
def test_an_abandoned_upload_leaves_no_hidden_parts(s3_url: str) -> None:
    """Parts already sent are aborted, so that nobody pays for bytes that no list shows."""
    prefix = secrets.token_hex(8)
    store = ObjectBlobs(s3_url.format(prefix=prefix))
    with store.receive("0" * 64) as incoming:
        for _ in range(20):
            incoming.write(bytes(2**20))
        with pytest.raises(InputError):
            incoming.finish()
    client = boto3.client("s3", endpoint_url=s3_url.partition("endpoint=")[2], region_name="us-east-1")
    uploads = client.list_multipart_uploads(Bucket="blobs", Prefix=prefix).get("Uploads", [])
    client.close()
    assert uploads == []

"""Requests to addresses that people give: none reaches the hub's own network."""

from __future__ import annotations

import ipaddress
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from hallmarked.core.errors import BackendError, Error, Forbidden, InputError
from hallmarked.hub.outbound.address import normalize_host, parse, problem
from hallmarked.hub.outbound.client import Answer, Resolver, Rules, client, parse_url, send

Reply = Callable[[BaseHTTPRequestHandler], None]
OPEN = Rules(schemes=frozenset({"http", "https"}), ports=frozenset({80, 443}), seconds=5)


def to(*addresses: str) -> Resolver:
    """Resolve every name to these addresses."""
    return lambda _host, _port: [ipaddress.ip_address(address) for address in addresses]


@contextmanager
def server(reply: Reply, tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """Serve on loopback and give the port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            reply(self)

        do_POST = do_GET  # noqa: N815 -- named by the base class

        def log_message(self, *_: object) -> None:
            return

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listening.daemon_threads = False
    if tls is not None:
        listening.socket = tls.wrap_socket(listening.socket, server_side=True)
    thread = threading.Thread(target=listening.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield listening.server_port
    finally:
        listening.shutdown()
        thread.join()
        listening.server_close()


def answer(handler: BaseHTTPRequestHandler, status: int, body: bytes = b"", **headers: str) -> None:
    handler.send_response(status)
    for name, value in {"Content-Length": str(len(body)), "Connection": "close", **headers}.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)


def ask(url: str, rules: Rules = OPEN, resolver: Resolver | None = None, tls: ssl.SSLContext | None = None) -> Answer:
    with client(rules, resolver=resolver or to("127.0.0.1"), tls=tls) as opened:
        return send(opened, rules, "GET", url)


INTERNAL = [
    "127.0.0.1",
    "127.8.9.10",
    "0.0.0.0",
    "10.1.2.3",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "169.254.169.254",
    "169.254.170.2",
    "100.64.0.1",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "198.18.0.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::ffff:169.254.169.254]",
    "[::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b:1::a00:1]",
    "[2002:7f00:1::]",
    "[2001:0:7f00:1::]",
    "[fc00::1]",
    "[fd00:ec2::254]",
    "[fe80::1]",
    "[fec0::1]",
    "[ff02::1]",
    "[2001:db8::1]",
    "[5f00::1]",
    "[100::1]",
]


@pytest.mark.parametrize("host", INTERNAL)
def test_addresses_of_internal_networks_are_refused(host: str) -> None:
    """Loopback, private, link-local, provider, multicast and translated addresses are refused before any connection."""
    with pytest.raises(Forbidden, match="requests of other people do not go there"):
        ask(f"http://{host}/")


@pytest.mark.parametrize("host", [host for host in INTERNAL if not host.startswith("[")])
def test_names_that_lead_to_internal_networks_are_refused(host: str) -> None:
    """A public name whose record points inside is refused, also when a public address stands beside it."""
    with pytest.raises(Forbidden, match=r"hooks\.example leads to"):
        ask("http://hooks.example/", resolver=to("93.184.216.34", host))


TRICKS = [
    "http://2130706433/",
    "http://017700000001/",
    "http://0x7f000001/",
    "http://0x7f.0.0.1/",
    "http://0177.0.0.1/",
    "http://127.1/",
    "http://127.0.1/",
    "http://127.0.0.1.:80/",
    "http://1.1.1.1.1/",
    "http://a@127.0.0.1/",
    "http://hooks.example@127.0.0.1/",
    "http://hooks.example:x@127.0.0.1/",
    "http://127.0.0.1\\@hooks.example/",
    "http://hooks.example\t.internal/",
    "http://hooks.example\r\nHost: internal/",
    "http://hooks.example/ HTTP/1.1\r\nX: y",
    "http://１２７.0.0.1/",
    "http://127。0。0。1/",
    "http://ⓛocalhost/",
    "http://hö.example/",
    "http://hooks.example%00.internal/",
    "http://%31%32%37.0.0.1/",
    "http://[::1%25lo]/",
    "http://[fe80::1%25eth0]/",
    "http://[::1/",
    "http:///etc/passwd",
    "http://",
    "//127.0.0.1/",
    "hooks.example",
    "file:///etc/passwd",
    "gopher://hooks.example/",
    "ftp://hooks.example/",
    "dict://hooks.example:11211/",
    "unix:/run/docker.sock",
    "data:text/plain,x",
    "http://hooks.example:22/",
    "http://hooks.example:6379/",
    "http://hooks.example:0/",
    "http://hooks.example:99999/",
    "http://hooks.example:-1/",
    f"http://{'a' * 64}.example/",
    f"http://hooks.example/{'a' * 3000}",
    "http://-hooks.example/",
    "http://..example/",
    "http://xn--ls8h.example/",
    "http://xn--a.example/",
]


@pytest.mark.parametrize("url", TRICKS, ids=range(len(TRICKS)))
def test_addresses_that_programs_read_differently_are_refused(url: str) -> None:
    """Numbers in odd forms, user names, odd characters, other schemes and ports are refused by the text alone."""
    with pytest.raises((InputError, Forbidden)) as refused:
        parse_url(url, OPEN)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "host", ["localhost", "localhost.", "LOCALHOST", "127.0.0.1.nip.example", "xn--bcher-kva.example"]
)
def test_names_of_this_machine_are_refused_by_where_they_lead(host: str) -> None:
    """A name for loopback is refused however it is written."""
    with pytest.raises(Forbidden, match=r"leads to 127\.0\.0\.1"):
        ask(f"http://{host}/")


def test_only_https_and_its_port_are_allowed_by_default() -> None:
    """Without a setting, requests go out encrypted, to the usual port."""
    parse_url("https://hooks.example/x", Rules())
    for url in ("http://hooks.example/", "https://hooks.example:8443/"):
        with pytest.raises(Forbidden):
            parse_url(url, Rules())


@pytest.mark.enable_socket
def test_operators_may_allow_an_internal_host_by_name() -> None:
    """An air-gapped operator names hosts; others, and other ports of these, stay refused."""
    with server(lambda handler: answer(handler, 200, handler.headers["Host"].encode())) as port:
        rules = replace(Rules(), internal=frozenset({f"forge.internal:{port}"}))
        found = ask(f"http://forge.internal:{port}/hook", rules)
        assert (found.status, found.body) == (200, f"forge.internal:{port}".encode())
        for other in (f"http://db.internal:{port}/", "https://forge.internal/"):
            with pytest.raises(Forbidden):
                ask(other, rules)


@pytest.mark.enable_socket
@pytest.mark.parametrize(
    "target", ["http://127.0.0.1:{port}/x", "http://[::1]/", "//other.internal:{port}/", "ftp://h/"]
)
def test_redirects_to_other_hosts_are_not_followed(target: str) -> None:
    """A host that was allowed cannot send the hub elsewhere."""
    asked: list[str] = []

    def reply(handler: BaseHTTPRequestHandler) -> None:
        asked.append(handler.path)
        answer(handler, 302, Location=target.format(port=handler.server.server_address[1]))

    with server(reply) as port:
        rules = replace(Rules(), internal=frozenset({f"forge.internal:{port}", f"other.internal:{port}"}))
        with pytest.raises(Forbidden):
            ask(f"http://forge.internal:{port}/hook", rules)
    assert asked == ["/hook"]


@pytest.mark.enable_socket
def test_redirects_within_a_host_are_followed_a_few_times() -> None:
    """Another path of the same host is reached; a circle ends."""

    def reply(handler: BaseHTTPRequestHandler) -> None:
        if handler.path == "/there":
            answer(handler, 200, b"here")
        else:
            answer(handler, 307, Location="/there" if handler.path == "/moved" else handler.path)

    with server(reply) as port:
        rules = replace(Rules(), internal=frozenset({f"forge.internal:{port}"}))
        assert ask(f"http://forge.internal:{port}/moved", rules).body == b"here"
        with pytest.raises(BackendError, match="more than 3 times"):
            ask(f"http://forge.internal:{port}/circle", rules)


@pytest.mark.enable_socket
def test_a_name_that_changes_its_mind_stays_where_it_was_judged() -> None:
    """Every later request of a client goes to the address that was judged, whatever the name leads to by then."""
    answers = iter(["127.0.0.1", "169.254.169.254"])
    asked: list[str] = []

    def rebinding(host: str, _port: int) -> list[ipaddress.IPv4Address | ipaddress.IPv6Address]:
        asked.append(host)
        return [ipaddress.ip_address(next(answers))]

    with server(lambda handler: answer(handler, 200)) as port:
        rules = replace(Rules(), internal=frozenset({f"forge.internal:{port}"}))
        with client(rules, resolver=rebinding) as opened:
            for _ in range(3):  # the server closes each connection, so each is a new one
                assert send(opened, rules, "GET", f"http://forge.internal:{port}/").status == 200
    assert asked == ["forge.internal"]


@pytest.mark.enable_socket
def test_answers_are_bounded_in_size_and_time() -> None:
    """An endless body, a slow body and slow headers all end with one sentence."""
    stop = threading.Event()

    def reply(handler: BaseHTTPRequestHandler) -> None:
        try:
            if handler.path == "/large":
                answer(handler, 200, bytes(2000))
            elif handler.path == "/headers":
                handler.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
                while not stop.wait(0.05):
                    handler.wfile.write(b"x")
            else:
                handler.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
                while not stop.wait(0.05):
                    handler.wfile.write(b"x")
        except OSError:
            return  # the other side went away, as it should

    with server(reply) as port:
        internal = frozenset({f"forge.internal:{port}"})
        rules = replace(Rules(), internal=internal, most_bytes=1000, seconds=0.4)
        try:
            with pytest.raises(BackendError, match="more than 1,000 bytes"):
                ask(f"http://forge.internal:{port}/large", rules)
            for path in ("/headers", "/body"):
                with pytest.raises(BackendError, match=r"within 0.4 s"):
                    ask(f"http://forge.internal:{port}{path}", rules)
        finally:
            stop.set()


@pytest.mark.enable_socket
def test_nothing_there_is_one_sentence() -> None:
    """A host nobody answers at is named."""
    with server(lambda handler: answer(handler, 200)) as port:
        pass
    with pytest.raises(BackendError, match=r"forge\.internal could not be reached"):
        ask(f"http://forge.internal:{port}/", replace(Rules(), internal=frozenset({f"forge.internal:{port}"})))
    with pytest.raises(BackendError, match="could not be found"):
        ask("http://hooks.example/", resolver=to())


@pytest.mark.enable_socket
def test_certificates_are_verified_for_the_name_not_the_address(tmp_path: Path) -> None:
    """The connection goes to the pinned address, and its certificate has to be for the name that was given."""
    serving, trusting = _certificate(tmp_path, "forge.internal")
    with server(lambda handler: answer(handler, 200, b"private"), serving) as port:
        rules = replace(Rules(), internal=frozenset({f"forge.internal:{port}", f"other.internal:{port}"}))
        assert ask(f"https://forge.internal:{port}/", rules, tls=trusting).body == b"private"
        with pytest.raises(BackendError, match=r"other\.internal could not be reached"):
            ask(f"https://other.internal:{port}/", rules, tls=trusting)


def _certificate(folder: Path, name: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Make a certificate for a name, and give who shows it and who trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]), datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "both.pem"
    encoded = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(encoded + made.public_bytes(serialization.Encoding.PEM))
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(path)
    return serving, ssl.create_default_context(cadata=made.public_bytes(serialization.Encoding.PEM).decode())


@given(st.ip_addresses())
def test_what_may_be_reached_is_global(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    """Nothing that Python calls private, loopback, link-local, multicast or reserved is let through."""
    if not problem(address):
        assert address.is_global
        assert not address.is_multicast
        assert not address.is_reserved
        assert not address.is_link_local


@given(st.text(max_size=40))
def test_hosts_have_one_form(text: str) -> None:
    """A host that is accepted stays the same when it is read again, and is no number in disguise."""
    try:
        host = normalize_host(text)
    except InputError:
        return
    assert normalize_host(host) == host
    assert parse(host) is not None or not host.rpartition(".")[2].isdigit()


@given(st.text(alphabet="htps:/@.[]0123456789abxfx%-#?\\ \t\n", max_size=60))
def test_any_text_is_read_or_refused_in_one_sentence(text: str) -> None:
    """Whatever somebody types as an address ends in an address or one of our errors."""
    try:
        url = parse_url(f"http://{text}", OPEN)
    except Error:
        return
    assert url.port in (None, 80, 443)

"""The only way the hub sends requests to addresses that people give: webhooks, imports.

Whoever gives an address could otherwise make the hub speak to its own network: to a database, a router, or the service
from which a cloud machine gets its secrets. So every hop is judged by itself; a host is resolved once, every address it
leads to has to be public, and the connection goes to the address that was judged, whatever the name leads to later.
"""

from __future__ import annotations

import re
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpcore
import httpx

from hallmarked.core.errors import BackendError, Forbidden, InputError
from hallmarked.hub.outbound.address import Address, normalize_host, parse, require_public
from hallmarked.hub.setting import Outbound

USUAL_PORTS = {"http": 80, "https": 443}
MOST_ADDRESSES = 64
MOST_HOSTS = 32
"""Hosts one transport speaks to."""

Resolver = Callable[[str, int], Sequence[Address]]
"""Returns the addresses of a host."""


@dataclass(frozen=True, slots=True)
class Rules:
    """Where requests may go and what an answer may cost."""

    schemes: frozenset[str] = frozenset({"https"})
    ports: frozenset[int] = frozenset({443})
    internal: frozenset[str] = frozenset()
    """Hosts an operator allows whatever their address and scheme, as ``host`` (at an allowed port, 80 or 443) or
    ``host:port``."""
    redirects: int = 3
    """Hops to other paths of the same host."""
    most_bytes: int = 1 << 20
    """Bytes of an answer's body that are read."""
    seconds: float = 15.0
    """For everything: connecting, sending, and the whole answer."""


def rules_of(settings: Outbound) -> Rules:
    """Read the rules from the settings.

    Raises:
        InputError: When a port or a host is not one.
    """
    if bad := [port for port in settings.ports if not port.isdecimal() or not 0 < int(port[:6]) < 65536]:
        raise InputError(f"outbound.ports: {bad[0]!r} is not a port")
    named = (re.fullmatch(r"(\[[^\]]*\]|[^:]*)(:[0-9]{1,5})?", host) for host in settings.hosts)
    hosts = {f"{normalize_host(match[1])}{match[2] or ''}" if match else "" for match in named}
    if "" in hosts:
        raise InputError("outbound.hosts: write each as host or host:port")
    schemes = frozenset({"https", "http"} if settings.plain else {"https"})
    return Rules(schemes, frozenset(int(port) for port in settings.ports), frozenset(hosts))


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def lookup(host: str, port: int) -> Sequence[Address]:
    """Ask the system for a host's addresses."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise BackendError(f"{host} could not be found") from error
    addresses = (parse(str(entry[4][0]).partition("%")[0]) for entry in found)
    return [address for address in addresses if address is not None]


class Transport(httpx.BaseTransport):
    """Sends requests to where the rules allow, and nowhere else. Follows nothing: each hop comes through here.

    For one thread. What the rules say about time holds until an answer's headers are there; its body may take longer,
    for a large file, and whoever reads it counts.

    Args:
        rules: Where requests may go.
        resolver: How hosts are found.
        tls: How certificates are verified; by default as the system does.
    """

    def __init__(self, rules: Rules, resolver: Resolver = lookup, tls: ssl.SSLContext | None = None) -> None:
        self.rules, self._clock = rules, _Clock()
        backend = _Backend(rules, resolver, self._clock)
        context = tls or ssl.create_default_context()
        self._pool = httpcore.ConnectionPool(context, network_backend=backend, max_connections=4, keepalive_expiry=30)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request.

        Raises:
            InputError: When the address cannot be used.
            Forbidden: When requests may not go there.
            BackendError: When the host cannot be found.
        """
        scheme, host, port = origin(request.url, self.rules)
        url = httpcore.URL(scheme=scheme.encode(), host=host.encode(), port=port, target=request.url.raw_path)
        sent = httpcore.Request(
            request.method, url, headers=request.headers.raw, content=request.stream, extensions=request.extensions
        )
        self._clock.start(self.rules.seconds)
        with _as_httpx_errors():
            answer = self._pool.handle_request(sent)
        self._clock.stop()
        assert isinstance(answer.stream, Iterable)
        return httpx.Response(answer.status, headers=answer.headers, stream=_Body(answer), extensions=answer.extensions)

    def close(self) -> None:
        """Close all connections."""
        self._pool.close()


class _Clock:
    """Ends what a slow host would draw out, byte by byte, without ever being late with one."""

    def __init__(self) -> None:
        self._end: float | None = None

    def start(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def stop(self) -> None:
        self._end = None

    def left(self, timeout: float | None) -> float | None:
        """Return how long one operation may take."""
        if self._end is None:
            return timeout
        left = self._end - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("out of time")
        return left if timeout is None else min(left, timeout)


class _Backend(httpcore.NetworkBackend):
    """Connects to addresses that were judged. The one place where a name becomes an address."""

    def __init__(self, rules: Rules, resolver: Resolver, clock: _Clock) -> None:
        self._rules, self._resolver, self._clock = rules, resolver, clock
        self._system = httpcore.SyncBackend()
        self._pinned: dict[tuple[str, int], Address] = {}

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        address = self._choose(host, port)
        stream = self._system.connect_tcp(str(address), port, self._clock.left(timeout), local_address, socket_options)
        return _Stream(stream, self._clock)

    def _choose(self, host: str, port: int) -> Address:
        """Return the address a host had when it was first asked for, so that it cannot become another one."""
        if (host, port) not in self._pinned:
            literal = parse(host)
            addresses = [literal] if literal is not None else list(self._resolver(host, port))[:MOST_ADDRESSES]
            if not addresses:
                raise BackendError(f"{host} could not be found")
            # NOTE: all of them, since a name that leads to both a public and a private address is a trick.
            for address in () if _is_internal(host, port, self._rules) else addresses:
                require_public(host, address)
            if len(self._pinned) >= MOST_HOSTS:
                raise Forbidden(f"more than {MOST_HOSTS} hosts are involved in one request")
            self._pinned[host, port] = addresses[0]
        return self._pinned[host, port]


class _Stream(httpcore.NetworkStream):
    """A connection whose operations keep to the clock."""

    def __init__(self, stream: httpcore.NetworkStream, clock: _Clock) -> None:
        self._stream, self._clock = stream, clock

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._clock.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._clock.left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        stream = self._stream.start_tls(ssl_context, server_hostname, self._clock.left(timeout))
        return _Stream(stream, self._clock)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _Body(httpx.SyncByteStream):
    """The body of an answer, as it arrives."""

    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        with _as_httpx_errors():
            yield from self._answer.iter_stream()

    def close(self) -> None:
        self._answer.close()


@contextmanager
def _as_httpx_errors() -> Iterator[None]:
    try:
        yield
    except httpcore.TimeoutException as error:
        raise httpx.ReadTimeout(str(error)) from error
    except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.UnsupportedProtocol) as error:
        raise httpx.NetworkError(str(error)) from error


def origin(url: httpx.URL, rules: Rules) -> tuple[str, str, int]:
    """Judge an address as it is written, before any name is looked up.

    Returns:
        Scheme, host and port.

    Raises:
        InputError: When it cannot be used.
        Forbidden: When requests may not go there.
    """
    scheme = url.scheme
    if url.userinfo:
        raise InputError("an address with a name or password before the host is not accepted")
    try:
        host = normalize_host(url.raw_host.decode("ascii"))
        if not url.host:  # decodes names in their xn-- form
            raise InputError("the address names no host")
    except UnicodeError:
        raise InputError("the host is not a name that can be registered") from None
    if scheme not in USUAL_PORTS:
        raise Forbidden(f"only addresses that begin with https:// are accepted, not {scheme or 'nothing'}")
    port = USUAL_PORTS[scheme] if url.port is None else url.port
    if _is_internal(host, port, rules):
        return scheme, host, port
    if scheme not in rules.schemes:
        raise Forbidden(f"addresses that begin with {scheme}:// are not accepted here")
    if port not in rules.ports:
        raise Forbidden(f"port {port} is not among the ports that requests of other people may go to")
    return scheme, host, port


def parse_url(text: str, rules: Rules) -> httpx.URL:
    """Read an address somebody typed, and judge it as far as that is possible without looking the host up.

    Raises:
        InputError: When it cannot be used.
        Forbidden: When requests may not go there.
    """
    # NOTE: characters that one program drops and another takes for the end of the host.
    if len(text) > 2048 or not text.isascii() or not text.isprintable() or set(text) & set(' \\"<>^`{|}'):
        raise InputError("the address is not a plain web address of at most 2,048 ASCII characters")
    try:
        url = httpx.URL(text)
        origin(url, rules)
    except httpx.InvalidURL as error:
        raise InputError("the address is not a web address") from error
    return url.copy_with(fragment=None)


@contextmanager
def client(rules: Rules, *, resolver: Resolver = lookup, tls: ssl.SSLContext | None = None) -> Iterator[httpx.Client]:
    """Give a client whose every request goes through :class:`Transport`; it follows no redirect by itself."""
    transport = Transport(rules, resolver, tls)
    with httpx.Client(transport=transport, timeout=rules.seconds, follow_redirects=False, trust_env=False) as opened:
        yield opened


def send(opened: httpx.Client, rules: Rules, method: str, url: str, **options: object) -> Answer:
    """Send one request, follow redirects within the same host, and read a bounded answer.

    Args:
        opened: From :func:`client`.
        rules: What it may cost.
        method: ``GET``, ``POST``, …
        url: Where to.
        options: ``headers`` and ``content``, as httpx takes them.

    Raises:
        InputError: When the address cannot be used.
        Forbidden: When requests may not go there, or a redirect leads to another host.
        BackendError: When there is no answer, or it is too long or too slow.
    """
    target, deadline = parse_url(url, rules), time.monotonic() + rules.seconds
    first = origin(target, rules)
    for _ in range(rules.redirects + 1):
        answer = _exchange(opened, rules, opened.build_request(method, target, **options), deadline)  # type: ignore[arg-type]
        place = answer.headers.get("location")
        if answer.status not in (301, 302, 303, 307, 308) or place is None:
            return answer
        try:
            target = parse_url(str(target.join(place)), rules)
        except httpx.InvalidURL as error:
            raise BackendError(f"{first[1]} redirects to something that is not an address") from error
        if origin(target, rules) != first:
            raise Forbidden(f"{first[1]} redirects to another host, which is not followed")
        if answer.status == 303 or (answer.status in (301, 302) and method == "POST"):
            method, options = "GET", {"headers": options.get("headers")}
    raise BackendError(f"{first[1]} redirects more than {rules.redirects} times")


def _exchange(opened: httpx.Client, rules: Rules, request: httpx.Request, deadline: float) -> Answer:
    request.headers["accept-encoding"] = "identity"  # nothing may unfold
    host, body = request.url.raw_host.decode("ascii", "replace"), bytearray()
    request.extensions["timeout"] = httpx.Timeout(max(0.001, deadline - time.monotonic())).as_dict()
    try:
        response = opened.send(request, stream=True)
        try:
            for chunk in response.iter_raw():
                body += chunk
                if len(body) > rules.most_bytes:
                    raise BackendError(f"{host} answers with more than {rules.most_bytes:,} bytes")
                if time.monotonic() > deadline:
                    raise BackendError(f"{host} did not finish its answer within {rules.seconds:g} s")
        finally:
            response.close()
    except httpx.TimeoutException as error:
        raise BackendError(f"{host} did not answer within {rules.seconds:g} s") from error
    except httpx.HTTPError as error:
        raise BackendError(f"{host} could not be reached") from error
    return Answer(response.status_code, {name.lower(): value for name, value in response.headers.items()}, bytes(body))


def _is_internal(host: str, port: int, rules: Rules) -> bool:
    usual = port in rules.ports or port in USUAL_PORTS.values()
    return f"{host}:{port}" in rules.internal or (usual and host in rules.internal)

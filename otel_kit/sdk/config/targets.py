"""Where each signal goes: protocol, URL, headers, timeout, compression and TLS."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal
from urllib.parse import unquote, urlsplit

from otel_kit import conventions
from otel_kit.sdk.config.environment import ARGUMENT, DEFAULT, Environment, setting_name, shown

__all__ = [
    "NODE_ADDRESSES",
    "Protocol",
    "Target",
    "is_endpoint",
    "is_header",
    "resolve_targets",
    "with_scheme",
]

Protocol = Literal["http/protobuf", "grpc"]
PROTOCOLS: Final = ("http/protobuf", "grpc")
PREFIX: Final = "OTEL_EXPORTER_OTLP"
_HEADER_NAME: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
#: A bare word may be anything, also a key in the wrong place.
_HOST_AND_PORT: Final = re.compile(r"(?:[\w.-]+|\[[\da-fA-F:.]+\]):\d+(?:/|$)")
#: Variables by which the downward API is commonly made to name the node, whose collector listens on a host
#: port.
NODE_ADDRESSES: Final = ("HOST_IP", "NODE_IP", "K8S_NODE_IP", "DD_AGENT_HOST")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """How one signal reaches the collector.

    Attributes:
        url: for HTTP the full URL of the signal, for gRPC scheme, host and port; without credentials, which
            are a header, but its query may hold a secret.
        timeout: seconds for one try.
        certificate: file of the CA to trust; key and chain are files for mutual TLS.
    """

    protocol: Protocol
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    timeout: float
    compress: bool
    certificate: str | None = None
    client_key: str | None = None
    client_chain: str | None = None

    @property
    def shown(self) -> str:
        """The URL as people may see it."""
        return shown(self.url)


def is_endpoint(url: str) -> bool:
    """Whether a client could use it: http or https, a host, and a port that is one."""
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, half an IPv6 address
        return False


def with_scheme(url: str, scheme: str = "http") -> str:
    """The URL, also where it is a host and a port alone, as endpoints of gRPC are often written."""
    return f"{scheme}://{url}" if _HOST_AND_PORT.match(url) else url


def _complete(env: Environment, url: str) -> str:
    if with_scheme(url) == url:
        return url
    return with_scheme(url, "http" if env.flag(f"{PREFIX}_INSECURE", default=True) else "https")


def resolve_targets(
    env: Environment,
    signals: Iterable[str],
    *,
    endpoint: str | None,
    protocol: Protocol | None,
    headers: Mapping[str, str] | None,
) -> dict[str, Target]:
    """The target of each signal.

    Arguments win over ``OTEL_KIT_*``, these over its own variables, these over the general ones.
    """
    complete = None if endpoint is None else _complete(env, endpoint)
    endpoint = env.given("endpoint", complete, _checked(env, "OTEL_KIT_ENDPOINT"))
    given = {name.lower(): value for name, value in _headers(env, "OTEL_KIT_HEADERS").items()}
    given |= {name.lower(): value for name, value in (headers or {}).items()}
    if headers:
        env.note("headers", list(given), ARGUMENT)
    return {signal: _target(env, signal, endpoint, protocol, given) for signal in signals}


def _target(
    env: Environment,
    signal: str,
    endpoint: str | None,
    protocol: Protocol | None,
    headers: Mapping[str, str],
) -> Target:
    own = f"{PREFIX}_{signal.upper()}"

    def text(key: str) -> str | None:
        return env.text(f"{own}_{key}", f"{PREFIX}_{key}")

    chosen: Protocol = env.given(f"{signal}_protocol", protocol, _protocol(env, own))
    url, credentials = _without_credentials(_url(env, own, signal, chosen, endpoint))
    sent = dict(credentials)
    for source in (_headers(env, f"{PREFIX}_HEADERS"), _headers(env, f"{own}_HEADERS"), headers):
        # In lower case, else two spellings of a name would be two headers.
        sent |= {name.lower(): value for name, value in source.items()}
    key, chain = text("CLIENT_KEY"), text("CLIENT_CERTIFICATE")
    if key and not chain:
        env.problems.append(
            f"{PREFIX}_CLIENT_KEY is of no use without {PREFIX}_CLIENT_CERTIFICATE; set both for mutual TLS"
        )
    return Target(
        protocol=chosen,
        url=url,
        headers=sent,
        timeout=env.seconds((f"{own}_TIMEOUT", f"{PREFIX}_TIMEOUT"), 10.0),
        compress=_compress(env, own),
        certificate=text("CERTIFICATE"),
        client_key=key,
        client_chain=chain,
    )


def is_header(name: str, value: str) -> bool:
    """Whether HTTP and gRPC can carry it: a token, and printable ASCII."""
    return bool(_HEADER_NAME.fullmatch(name)) and value.isascii() and value.isprintable()


def _headers(env: Environment, variable: str) -> dict[str, str]:
    def refuse(name: str, value: str) -> str:
        return "" if is_header(name, value) else "use printable ASCII, and a name without blanks"

    return env.pairs(variable, refuse=refuse)


def _without_credentials(url: str) -> tuple[str, dict[str, str]]:
    """The URL without ``user:password@``, and the header that says the same."""
    parts = urlsplit(url)
    userinfo, at, host = parts.netloc.rpartition("@")
    if not at:
        return parts.geturl(), {}
    encoded = base64.b64encode(unquote(userinfo).encode()).decode()
    return parts._replace(netloc=host).geturl(), {"authorization": f"Basic {encoded}"}


def _protocol(env: Environment, own: str) -> Protocol:
    names = [f"{own}_PROTOCOL", f"{PREFIX}_PROTOCOL"]
    if env.find("OTEL_KIT_PROTOCOL"):
        names = ["OTEL_KIT_PROTOCOL"]
    return "grpc" if env.choice(names, PROTOCOLS, "http/protobuf") == "grpc" else "http/protobuf"


def _compress(env: Environment, own: str) -> bool:
    return env.choice((f"{own}_COMPRESSION", f"{PREFIX}_COMPRESSION"), ("gzip", "none"), "none") == "gzip"


def _url(env: Environment, own: str, signal: str, protocol: Protocol, endpoint: str | None) -> str:
    port = conventions.PORT_OTLP_GRPC if protocol == "grpc" else conventions.PORT_OTLP_HTTP
    exact = None if endpoint else _checked(env, f"{own}_ENDPOINT")
    given = endpoint or exact or _checked(env, conventions.ENV_OTLP_ENDPOINT) or _on_node(env, port)
    parts = urlsplit(given)
    if protocol == "grpc":
        netloc = parts.netloc if parts.port else f"{parts.netloc.removesuffix(':')}:{port}"
        return f"{parts.scheme}://{netloc}"
    if parts.port == conventions.PORT_OTLP_GRPC:
        env.problems.append(
            f"the endpoint {shown(given)} has the port of OTLP/gRPC but the protocol is http/protobuf; "
            f"use port {conventions.PORT_OTLP_HTTP} or protocol grpc"
        )
    return exact or parts._replace(path=f"{parts.path.rstrip('/')}/v1/{signal}").geturl()


def _on_node(env: Environment, port: int) -> str:
    source, node = env.find(*NODE_ADDRESSES) or (DEFAULT, "localhost")
    url = f"http://{f'[{node}]' if ':' in node else node}:{port}"
    if not is_endpoint(url) or "/" in node:
        env.problems.append(
            f"{source} is no address of a node, so localhost is used; set {conventions.ENV_OTLP_ENDPOINT}"
        )
        source, url = DEFAULT, f"http://localhost:{port}"
    env.note(setting_name(conventions.ENV_OTLP_ENDPOINT), url, source)
    return url


def _checked(env: Environment, name: str) -> str | None:
    """The URL in a variable, or None with a problem noted where no client could use it."""
    found = env.find(name)
    if found is None:
        return None
    value = _complete(env, found[1])
    if is_endpoint(value):
        env.note(setting_name(name), value, name)
        return value
    env.problems.append(
        f"{name} is no http:// or https:// URL that can be used, so it is left out; write http://host:4318 "
        "(plain) or https://host:4318 (TLS)"
    )
    return None

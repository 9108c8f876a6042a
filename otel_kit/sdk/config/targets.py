"""Where each signal goes: protocol, URL, headers, timeout, compression and TLS."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal
from urllib.parse import unquote, urlsplit

from otel_kit import conventions
from otel_kit.sdk.config.environment import Environment

__all__ = ["Protocol", "Target", "is_endpoint", "resolve_targets", "shown"]

Protocol = Literal["http/protobuf", "grpc"]
PROTOCOLS: Final = ("http/protobuf", "grpc")
PREFIX: Final = "OTEL_EXPORTER_OTLP"
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


def shown(url: str) -> str:
    """The URL without what may be secret: credentials and query."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


def resolve_targets(
    env: Environment,
    signals: Iterable[str],
    *,
    endpoint: str | None,
    protocol: Protocol | None,
    headers: Mapping[str, str] | None,
) -> dict[str, Target]:
    """The target of each signal; arguments win over its own variables, these over the general ones."""
    return {signal: _target(env, signal, endpoint, protocol, headers) for signal in signals}


def _target(
    env: Environment,
    signal: str,
    endpoint: str | None,
    protocol: Protocol | None,
    headers: Mapping[str, str] | None,
) -> Target:
    own = f"{PREFIX}_{signal.upper()}"

    def text(key: str) -> str | None:
        return env.text(f"{own}_{key}", f"{PREFIX}_{key}")

    chosen: Protocol = protocol or _protocol(env, own)
    url, credentials = _without_credentials(_url(env, own, signal, chosen, endpoint))
    sent = {**env.pairs(f"{PREFIX}_HEADERS"), **env.pairs(f"{own}_HEADERS"), **(headers or {})}
    if "authorization" in {name.lower() for name in sent}:
        credentials = {}
    return Target(
        protocol=chosen,
        url=url,
        headers={**credentials, **sent},
        timeout=env.seconds((f"{own}_TIMEOUT", f"{PREFIX}_TIMEOUT"), 10.0),
        compress=_compress(env, own),
        certificate=text("CERTIFICATE"),
        client_key=text("CLIENT_KEY"),
        client_chain=text("CLIENT_CERTIFICATE"),
    )


def _without_credentials(url: str) -> tuple[str, dict[str, str]]:
    """The URL without ``user:password@``, and the header that says the same."""
    parts = urlsplit(url)
    userinfo, at, host = parts.netloc.rpartition("@")
    if not at:
        return parts.geturl(), {}
    encoded = base64.b64encode(unquote(userinfo).encode()).decode()
    return parts._replace(netloc=host).geturl(), {"authorization": f"Basic {encoded}"}


def _protocol(env: Environment, own: str) -> Protocol:
    name = f"{own}_PROTOCOL" if env.text(f"{own}_PROTOCOL") else f"{PREFIX}_PROTOCOL"
    return "grpc" if env.choice(name, PROTOCOLS, "http/protobuf") == "grpc" else "http/protobuf"


def _compress(env: Environment, own: str) -> bool:
    name = f"{own}_COMPRESSION" if env.text(f"{own}_COMPRESSION") else f"{PREFIX}_COMPRESSION"
    return env.choice(name, ("gzip", "none"), "none") == "gzip"


def _url(env: Environment, own: str, signal: str, protocol: Protocol, endpoint: str | None) -> str:
    port = conventions.PORT_OTLP_GRPC if protocol == "grpc" else conventions.PORT_OTLP_HTTP
    default = _on_node(env, port)
    name = f"{own}_ENDPOINT"
    given = endpoint or _checked(env, name)
    exact = endpoint is None and given is not None
    if given is None:
        given = _checked(env, conventions.ENV_OTLP_ENDPOINT) or default
    parts = urlsplit(given)
    if protocol == "grpc":
        netloc = parts.netloc if parts.port else f"{parts.netloc.removesuffix(':')}:{port}"
        return f"{parts.scheme}://{netloc}"
    if parts.port == conventions.PORT_OTLP_GRPC:
        env.problems.append(
            f"the endpoint {shown(given)} has the port of OTLP/gRPC but the protocol is http/protobuf; "
            f"use port {conventions.PORT_OTLP_HTTP} or protocol grpc"
        )
    return given if exact else parts._replace(path=f"{parts.path.rstrip('/')}/v1/{signal}").geturl()


def _on_node(env: Environment, port: int) -> str:
    node = env.text(*NODE_ADDRESSES) or "localhost"
    url = f"http://{f'[{node}]' if ':' in node else node}:{port}"
    if is_endpoint(url) and "/" not in node:
        return url
    env.problems.append(
        f"{', '.join(NODE_ADDRESSES)}: {node!r} is no address of a node, so localhost is used"
    )
    return f"http://localhost:{port}"


def _checked(env: Environment, name: str) -> str | None:
    """The URL in a variable, or None with a problem noted where no client could use it."""
    value = env.text(name)
    if value is None:
        return None
    if "://" not in value and ":/" not in value:
        # gRPC endpoints are often written so; OTEL_EXPORTER_OTLP_INSECURE says which scheme is meant.
        value = f"{'http' if env.flag(f'{PREFIX}_INSECURE', default=True) else 'https'}://{value}"
    if is_endpoint(value):
        return value
    env.problems.append(f"{name} is no http:// or https:// URL, so the default endpoint is used")
    return None

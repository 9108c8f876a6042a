"""Which context is taken from callers and handed on, from the environment.

The grammar of ``OTEL_KIT_TRUST``::

    rules      = rule *( ";" rule )
    rule       = [ condition *( "&" condition ) "@" ] policy
    condition  = "*" | "route:" pattern | "header:" name [ "=" pattern ] | "peer:" network | "from:" format
    policy     = "all" | "resample" | "link" | "ignore"

The first rule counts whose conditions all hold; without one the caller is trusted. A route is the path of the
URL or, of gRPC, ``/pkg.Service/Method``; in a pattern ``*`` stands for any signs, and in a route
``{name}`` for one segment; ``%3B``, ``%26`` and ``%40`` are the signs that the
grammar needs itself. A network is written as ``10.0.0.0/8``, a format is w3c, gcp, datadog or b3.

========== ===========================================================================================
``all``       the caller's span is the parent, and its flag decides about sampling
``resample``  it is the parent, but the sampler decides as for a trace that begins here
``link``      a trace begins here, with a link to the caller's span; its baggage is dropped
``ignore``    a trace begins here, without a link
========== ===========================================================================================

Other names of ``link`` are ``none``, ``public`` (at the edge of the cluster) and ``espv2`` (behind a proxy
that samples one trace in a thousand and whose own spans never arrive).

    header:x-envoy-original-path@link; peer:10.0.0.0/8@all; link
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from otel_kit.sdk.config.environment import DEFAULT, Environment
from otel_kit.sdk.config.patterns import is_offered, pattern, read_rules

__all__ = ["Condition", "ContextSettings", "Policy", "TrustRule", "resolve_context", "trust_rules"]

Policy = Literal["all", "resample", "link", "ignore"]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_POLICIES: Final[dict[str, Policy]] = {
    "all": "all",
    "resample": "resample",
    "link": "link",
    "ignore": "ignore",
    "none": "link",
    "public": "link",
    "espv2": "link",
}
#: Names of formats, with those by which OTEL_PROPAGATORS knows them.
_FORMATS: Final = {
    "gcp": "gcp",
    "gcp_trace": "gcp",
    "xcloud": "gcp",
    "datadog": "datadog",
    "b3": "b3",
    "b3multi": "b3",
}
_DEFAULT: Final = ("tracecontext", "baggage")


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One of a rule.

    Attributes:
        kind: what is compared.
        name: of the header or the format, else empty.
        pattern: what a route or the value of a header has to match as a whole.
        network: that the peer has to be in.
    """

    kind: Literal["route", "header", "peer", "from"]
    name: str = ""
    pattern: re.Pattern[str] | None = None
    network: Network | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustRule:
    """What becomes of a caller's context where all conditions hold; none: always."""

    conditions: tuple[Condition, ...]
    policy: Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextSettings:
    """What comes in, what goes out, and whom to trust.

    Attributes:
        w3c: trace context is read and written.
        extract: formats that are read besides, the first valid one first.
        foreign: names of further propagators, of installed packages.
        baggage: keys that come in and go out.
        baggage_attributes: keys whose values are put on spans and log records.
        trust: see this module.
    """

    w3c: bool = True
    extract: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()
    baggage: tuple[str, ...] = ()
    baggage_attributes: tuple[str, ...] = ()
    trust: tuple[TrustRule, ...] = ()


def resolve_context(env: Environment) -> ContextSettings:
    """The settings; what cannot be used is one problem, and left out."""
    named = _propagators(env)
    extract = [_FORMATS[name] for name in named if name in _FORMATS]
    extract += [_FORMATS[name.lower()] for name in env.words("OTEL_KIT_EXTRACT", (), refuse=_no_format)]
    w3c = "tracecontext" in named or bool(extract)
    if extract and "tracecontext" not in named:
        env.problems.append(
            f"{', '.join(extract)} is only read; trace context by W3C is what is written, so add tracecontext"
        )
    attributes = tuple(env.words("OTEL_KIT_BAGGAGE_ATTRIBUTES", (), refuse=_no_key))
    allowed = (*env.words("OTEL_KIT_BAGGAGE", ()), *attributes)
    return ContextSettings(
        w3c=w3c,
        extract=tuple(dict.fromkeys(extract)),
        foreign=tuple(name for name in named if name not in _FORMATS and name not in _DEFAULT),
        baggage=tuple(dict.fromkeys(allowed)) if "baggage" in named else (),
        baggage_attributes=attributes,
        trust=tuple(_trust(env)),
    )


def _no_format(name: str) -> str:
    return "" if name.lower() in _FORMATS else "use gcp, datadog and b3"


def _no_key(name: str) -> str:
    return "name each key, without *" if "*" in name else ""


def _no_propagator(name: str) -> str:
    name = name.lower()
    if name in ("none", *_FORMATS, *_DEFAULT) or is_offered("opentelemetry_propagator", name):
        return ""
    known = "tracecontext, baggage, gcp_trace, datadog, b3, b3multi or none"
    return f"use {known}, or install the package that offers it"


def _propagators(env: Environment) -> Sequence[str]:
    """Those of ``OTEL_PROPAGATORS`` that there are; where that leaves none, the default."""
    named = [name.lower() for name in env.words("OTEL_PROPAGATORS", _DEFAULT, refuse=_no_propagator)]
    return [] if "none" in named else named


def _trust(env: Environment) -> Iterator[TrustRule]:
    source, text = env.find("OTEL_KIT_TRUST") or (DEFAULT, "")
    in_force = []
    for part, found in trust_rules(text):
        if isinstance(found, TrustRule):
            in_force.append(part)
            yield found
        else:
            # Not to trust is what the rule was written for, and what does no harm.
            in_force.append("link")
            env.problems.append(f"OTEL_KIT_TRUST: a rule counts as 'link': {found}")
            yield TrustRule(conditions=(), policy="link")
    env.note("trust", in_force, source)


def trust_rules(text: str) -> Iterator[tuple[str, TrustRule | str]]:
    """Each rule as it is written, with its meaning or with what is wrong with it."""
    return read_rules(text, _rule)


def _rule(text: str) -> TrustRule:
    conditions, at, name = text.rpartition("@")
    policy = _POLICIES.get(name.strip().lower())
    if policy is None:
        raise ValueError(f"no policy is behind @; use one of {', '.join(_POLICIES)}")
    if not at or conditions.strip() == "*":
        return TrustRule(conditions=(), policy=policy)
    return TrustRule(conditions=tuple(_condition(c.strip()) for c in conditions.split("&")), policy=policy)


def _condition(text: str) -> Condition:
    kind, _, rest = text.partition(":")
    rest = rest.strip()
    if kind == "route" and rest[:1] in ("/", "*"):
        return Condition(kind="route", pattern=pattern(rest, segments=True))
    if kind == "header" and rest:
        name, equals, value = rest.partition("=")
        return Condition(kind="header", name=name.strip().lower(), pattern=pattern(value) if equals else None)
    if kind == "peer" and rest:
        try:
            return Condition(kind="peer", network=ipaddress.ip_network(rest, strict=False))
        except ValueError:
            raise ValueError("a peer is no network; write peer:10.0.0.0/8") from None
    if kind == "from" and rest in ("w3c", *_FORMATS):
        return Condition(kind="from", name=_FORMATS.get(rest, rest))
    raise ValueError(
        "what stands before @ is no condition; write route:/path, header:name, peer:10.0.0.0/8 or from:gcp"
    )

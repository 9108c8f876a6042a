"""How far a caller's context is trusted: as parent, as a link, or not at all.

Whoever reaches the public edge may send any ``traceparent``, and proxies in front of the cluster write spans
of their own into it that never arrive, mostly with the flag "not sampled". See `otel_kit.sdk.config.context`
for the rules.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace.sampling import Sampler, SamplingResult
from opentelemetry.trace import Link, SpanKind, TraceState
from opentelemetry.util.types import Attributes

from otel_kit.sdk.config.context import Condition, ContextSettings, Policy, TrustRule
from otel_kit.sdk.context.propagator import is_deferred, read_from, with_deferred

__all__ = ["DeferredSampler", "Trust", "active", "make_trust", "with_trust"]

#: The first value of a header by its lower-case name, or None where it is not there.
Header = Callable[[str], str | None]


#: That of the process; None where all callers are trusted, and nothing is to be judged.
active: Trust | None = None


class Trust:
    """Judges parents by rules."""

    def __init__(self, rules: Sequence[TrustRule]) -> None:
        self._rules = tuple(rules)

    def parent(
        self, found: Context, base: Context, *, route: str, peer: object, header: Header
    ) -> tuple[Context, list[Link] | None]:
        """The context to begin a span in, and its links.

        Args:
            found: the context with what the caller sent.
            base: the context without it.
            route: path of the URL, or ``/pkg.Service/Method``.
            peer: address of the caller, as far as it is known.
            header: reads what the caller sent.
        """
        caller = trace.get_current_span(found).get_span_context()
        policy = self._policy(found, route, peer, header)
        if policy == "all":
            return found, None
        if policy == "resample":
            return (with_deferred(found) if caller.is_remote else found), None
        known = caller.is_valid and caller.is_remote and policy == "link"
        return base, [Link(caller)] if known else None

    def _policy(self, found: Context, route: str, peer: object, header: Header) -> Policy:
        for rule in self._rules:
            if all(_holds(condition, found, route, peer, header) for condition in rule.conditions):
                return rule.policy
        return "all"


def make_trust(settings: ContextSettings) -> Trust | None:
    """What judges parents; None where all are trusted."""
    return Trust(settings.trust) if any(rule.policy != "all" for rule in settings.trust) else None


def with_trust(sampler: Sampler, settings: ContextSettings) -> Sampler:
    """The sampler, which decides by itself where a caller's flag does not; as it is where all flags do."""
    deferring = settings.extract or any(rule.policy == "resample" for rule in settings.trust)
    return DeferredSampler(sampler) if deferring else sampler


def _holds(condition: Condition, found: Context, route: str, peer: object, header: Header) -> bool:
    if condition.kind == "route":
        return condition.pattern is not None and condition.pattern.fullmatch(route) is not None
    if condition.kind == "header":
        value = header(condition.name)
        return value is not None and (condition.pattern is None or bool(condition.pattern.fullmatch(value)))
    if condition.kind == "from":
        return read_from(found) == condition.name
    return condition.network is not None and _within(peer, condition.network)


def _within(peer: object, network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> bool:
    try:
        address = ipaddress.ip_address(str(peer))
    except ValueError:  # a socket in the file system, or nobody knows
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address) in network


class DeferredSampler(Sampler):
    """Lets another sampler decide as for a root where the flag of a remote parent does not decide."""

    def __init__(self, sampler: Sampler) -> None:
        self._sampler = sampler

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        """The decision of the other sampler."""
        # Children carry the mark along, but their parent is of this process and decides.
        if (
            parent_context is not None
            and is_deferred(parent_context)
            and trace.get_current_span(parent_context).get_span_context().is_remote
        ):
            parent_context = trace.set_span_in_context(trace.INVALID_SPAN, parent_context)
        return self._sampler.should_sample(
            parent_context, trace_id, name, kind, attributes, links, trace_state
        )

    def get_description(self) -> str:
        """The description of the other sampler."""
        return self._sampler.get_description()

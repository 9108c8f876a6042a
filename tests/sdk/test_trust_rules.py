"""Whose context is taken over, by rules, and who decides about sampling then."""

from __future__ import annotations

from collections.abc import Mapping

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, Decision, ParentBased, Sampler
from opentelemetry.trace import SpanContext

from otel_kit.sdk.config.context import ContextSettings, resolve_context, trust_rules
from otel_kit.sdk.config.environment import Environment
from otel_kit.sdk.context.propagator import is_deferred
from otel_kit.sdk.context.trust import DeferredSampler, Trust, make_trust, with_trust
from tests.sdk.test_context import ALL, SPAN, TRACE, W3C, T


def settings(**environment: str) -> ContextSettings:
    env = Environment(environment)
    found = resolve_context(env)
    assert env.problems == []
    return found


def test_settings() -> None:
    assert settings() == ContextSettings()
    found = settings(
        OTEL_PROPAGATORS="tracecontext, baggage, gcp_trace,b3multi", OTEL_KIT_EXTRACT="datadog,gcp"
    )
    assert found.extract == ("gcp", "b3", "datadog")
    assert not settings(OTEL_PROPAGATORS="none").w3c
    env = Environment({"OTEL_PROPAGATORS": "tracecontxt"})
    assert resolve_context(env).w3c, "a slip of the pen does not end propagation"
    assert "'tracecontxt' is left out" in env.problems[0]
    assert settings(OTEL_KIT_BAGGAGE="a,b.*", OTEL_KIT_BAGGAGE_ATTRIBUTES="c").baggage == ("a", "b.*", "c")
    assert settings(OTEL_PROPAGATORS="tracecontext", OTEL_KIT_BAGGAGE="a").baggage == ()
    env = Environment({"OTEL_KIT_EXTRACT": "xyz", "OTEL_PROPAGATORS": "b3", "OTEL_KIT_TRUST": "some"})
    found = resolve_context(env)
    assert found.w3c
    assert found.extract == ("b3",)
    assert make_trust(found) is not None
    assert len(env.problems) == 3


def judge(rules: str, headers: Mapping[str, str], *, route: str = "/x", peer: object = "10.1.2.3") -> str:
    """What becomes of the caller's context: parent, deferred, link or nothing."""
    found = ALL.extract(headers)
    trust = make_trust(settings(OTEL_KIT_TRUST=rules)) or Trust(())
    context, links = trust.parent(found, Context(), route=route, peer=peer, header=headers.get)
    if trace.get_current_span(context).get_span_context().is_valid:
        return "deferred" if is_deferred(context) else "parent"
    return "link" if links and links[0].context.trace_id == TRACE else "nothing"


def test_rules_of_trust() -> None:
    w3c = {"traceparent": W3C}
    assert judge("", w3c) == judge("all", w3c) == "parent"
    assert {judge(name, w3c) for name in ("link", "none", "public", "espv2", "LINK")} == {"link"}
    assert judge("ignore", w3c) == "nothing"
    assert judge("resample", w3c) == "deferred"
    assert judge("link", {}) == "nothing"
    rules = "route:/internal/*@all; header:x-envoy-original-path@link; from:gcp&peer:10.0.0.0/8@ignore"
    assert judge(rules, w3c) == "parent"
    assert judge(rules, {**w3c, "x-envoy-original-path": "/a"}) == "link"
    assert judge(rules, {**w3c, "x-envoy-original-path": "/a"}, route="/internal/x") == "parent"
    assert judge(rules, {"x-cloud-trace-context": f"{T}/1;o=1"}) == "nothing"
    assert judge(rules, {"x-cloud-trace-context": f"{T}/1;o=1"}, peer="::ffff:10.0.0.1") == "nothing"
    assert judge(rules, {"x-cloud-trace-context": f"{T}/1;o=1"}, peer="192.0.2.1") == "parent"
    assert judge(rules, {"x-cloud-trace-context": f"{T}/1;o=1"}, peer=None) == "parent"
    assert judge("header:x-from=partner*@link", {**w3c, "x-from": "partner-7"}) == "link"
    assert judge("header:x-from=partner*@link", {**w3c, "x-from": "us"}) == "parent"
    assert judge("route:/orders/{id}@link", w3c, route="/orders/7") == "link"
    assert judge("route:/orders/{id}@link", w3c, route="/orders/7/items") == "parent"
    for wrong in (
        "some",
        "route:x@link",
        "peer:abc@link",
        "from:xyz@all",
        "what@all",
        "a:b@all",
        "@",
        "&@link",
    ):
        assert isinstance(next(trust_rules(wrong))[1], str), wrong


def decision(sampler: Sampler, context: Context) -> Decision:
    return sampler.should_sample(context, TRACE, "x").decision


def test_a_flag_that_does_not_decide() -> None:
    unsampled = {"x-cloud-trace-context": f"{T}/1;o=0"}
    open_ = {"x-cloud-trace-context": f"{T}/1"}
    for root, expected in ((ALWAYS_ON, Decision.RECORD_AND_SAMPLE), (ALWAYS_OFF, Decision.DROP)):
        sampler = DeferredSampler(ParentBased(root))
        assert decision(sampler, ALL.extract(open_)) is expected
        assert decision(sampler, ALL.extract(unsampled)) is Decision.DROP
        local = trace.NonRecordingSpan(SpanContext(TRACE, SPAN, is_remote=False))
        assert decision(sampler, trace.set_span_in_context(local, ALL.extract(open_))) is Decision.DROP
    assert with_trust(ALWAYS_ON, ContextSettings()) is ALWAYS_ON
    assert isinstance(with_trust(ALWAYS_ON, settings(OTEL_KIT_TRUST="resample")), DeferredSampler)

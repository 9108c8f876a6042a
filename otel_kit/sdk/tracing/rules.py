"""The sampler that the settings ask for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.sdk.trace.sampling import (
    ALWAYS_OFF,
    ALWAYS_ON,
    DEFAULT_ON,
    Decision,
    ParentBased,
    Sampler,
    SamplingResult,
    TraceIdRatioBased,
)

from otel_kit.sdk.config.tracing import SAMPLERS
from otel_kit.sdk.notes import LOGGER
from otel_kit.sdk.text import text_of
from otel_kit.sdk.tracing.decision import LOW

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import Link, SpanKind, TraceState
    from opentelemetry.util.types import Attributes

    from otel_kit.sdk.config.tracing import Condition, Rule, TracingSettings

__all__ = ["Rules", "make_sampler"]

#: Where a span has its route when it starts, the surest first.
_ROUTES: Final = ("http.route", "url.path", "rpc.method")


class Rules(Sampler):
    """Keeps a share of what a rule is about; for spans without a parent.

    A trace that a small share keeps is kept by each larger one too, in each service: its id decides.

    Args:
        rules: the first one counts whose conditions hold.
        otherwise: decides where none does.
    """

    def __init__(self, rules: Sequence[Rule], otherwise: Sampler) -> None:
        self._rules = [(rule.conditions, TraceIdRatioBased.get_bound_for_rate(rule.share)) for rule in rules]
        self._otherwise = otherwise

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
        """Decide by name and attributes that the span has when it starts."""
        for conditions, bound in self._rules:
            if all(_holds(condition, name, attributes or {}) for condition in conditions):
                if trace_id & LOW < bound:
                    return SamplingResult(Decision.RECORD_AND_SAMPLE, attributes)
                return SamplingResult(Decision.DROP)
        return self._otherwise.should_sample(
            parent_context, trace_id, name, kind, attributes, links, trace_state
        )

    def get_description(self) -> str:
        """For people."""
        return f"Rules{{{len(self._rules)} rules, otherwise:{self._otherwise.get_description()}}}"


def _holds(condition: Condition, name: str, attributes: Mapping[str, Any]) -> bool:
    if condition.kind == "name":
        found = name
    elif condition.kind == "attribute":
        value = attributes.get(condition.key)
        if value is None:
            return False
        found = str(value).lower() if isinstance(value, bool) else text_of(value)
    else:
        found = next((text_of(attributes[key]) for key in _ROUTES if key in attributes), "")
    return condition.pattern.fullmatch(found) is not None


def make_sampler(settings: TracingSettings) -> Sampler:
    """A sampler; with rules always one whose children follow their parents."""
    name, argument = settings.sampler, settings.argument
    sampler = _known(name, argument) if name in SAMPLERS else _installed(name, argument)
    if settings.rules:
        return ParentBased(Rules(settings.rules, sampler))
    return ParentBased(sampler) if name.startswith("parentbased_") else sampler


def _known(name: str, argument: str) -> Sampler:
    """What decides about spans without a parent, and, if it is not based on parents, about all."""
    root = name.removeprefix("parentbased_")
    if root == "traceidratio":
        return TraceIdRatioBased(float(argument))
    return ALWAYS_ON if root == "always_on" else ALWAYS_OFF


def _installed(name: str, argument: str) -> Sampler:
    from importlib.metadata import entry_points

    try:
        (found,) = entry_points(group="opentelemetry_traces_sampler", name=name)
        sampler = found.load()(argument or None)
        if isinstance(sampler, Sampler):
            return sampler
        why = f"it gives a {type(sampler).__name__}, which is no sampler"
    except Exception as error:
        why = f"{type(error).__name__}: {text_of(error)}"
    LOGGER.warning("otel-kit: the sampler %r cannot be used, so all spans are kept: %s", name, why)
    return DEFAULT_ON

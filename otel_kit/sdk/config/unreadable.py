"""Variables that the API and the SDK must not see: they would raise an error, or log a traceback."""

from __future__ import annotations

from typing import Final

from otel_kit.sdk.config.environment import Environment
from otel_kit.sdk.config.patterns import is_offered
from otel_kit.sdk.config.refused import quoted

__all__ = ["LIMITS", "unreadable"]

LIMITS: Final = (
    "OTEL_ATTRIBUTE_COUNT_LIMIT",
    "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT",
    "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT",
    "OTEL_LINK_ATTRIBUTE_COUNT_LIMIT",
    "OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT",
    "OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT",
    "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT",
    "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT",
    "OTEL_SPAN_EVENT_COUNT_LIMIT",
    "OTEL_SPAN_LINK_COUNT_LIMIT",
)
#: By these the API would set up a provider of its own as soon as somebody asks for one, or raise an error.
PROVIDERS: Final = tuple(f"OTEL_PYTHON_{kind}_PROVIDER" for kind in ("TRACER", "METER", "LOGGER"))
#: What keeps the current span.
CONTEXT: Final = "OTEL_PYTHON_CONTEXT"


def unreadable(env: Environment) -> tuple[str, ...]:
    """Their names; some of them are read as soon as the SDK is imported."""
    providers = [name for name in PROVIDERS if env.find(name)]
    env.problems += [f"{name} is not used, since init() sets the provider; remove it" for name in providers]
    hidden = [name for name in LIMITS if not env.natural(name)]
    context = env.find(CONTEXT)
    if context is not None and not is_offered("opentelemetry_context", context[1]):
        env.problems.append(f"{CONTEXT}={quoted(context[1])} is offered by no package; remove it")
        hidden.append(CONTEXT)
    return (*PROVIDERS, *hidden)  # the API does not take an empty one for none, either

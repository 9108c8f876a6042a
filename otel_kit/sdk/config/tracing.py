"""Which spans are kept, from the environment and the argument of `init`.

The grammar of ``OTEL_KIT_SAMPLING``::

    rules      = rule *( ";" rule )
    rule       = condition *( "&" condition ) "@" share
    condition  = "*" | "route:" pattern | "name:" pattern | "attribute:" key "=" pattern
    share      = a number from 0 (none) to 1 (all)

Rules decide about a span without a parent; its children follow it. The first one counts whose conditions
all hold. In a pattern ``*`` stands for any signs, and in a route ``{name}`` for one segment; ``%3B``,
``%26``, ``%40`` and ``%25`` are the signs that the grammar needs itself. A route is compared with
``http.route``, ``url.path`` or, of gRPC, ``rpc.method``, whichever the span has as it starts.

    route:/search@0.1; name:poll*@0; attribute:customer.tier=free&route:/orders/{id}@0.5; *@0.9
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import unquote

from otel_kit.sdk.config.environment import ARGUMENT, DEFAULT, Environment
from otel_kit.sdk.config.patterns import is_offered, pattern

__all__ = ["SAMPLERS", "Rule", "TracingSettings", "resolve_tracing", "rules_of"]

#: https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/#general-sdk-configuration
SAMPLERS: Final = (
    "always_on",
    "always_off",
    "traceidratio",
    "parentbased_always_on",
    "parentbased_always_off",
    "parentbased_traceidratio",
)
SAMPLER: Final = "parentbased_always_on"
_FORM: Final = "write route:, name: or attribute: conditions and a share, as in route:/search@0.1; *@1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One of a rule.

    Attributes:
        kind: what is compared.
        key: of the attribute, else empty.
        pattern: what it has to match as a whole.
    """

    kind: Literal["route", "name", "attribute"]
    key: str = ""
    pattern: re.Pattern[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Keeps a share of the traces that begin with a span for which all conditions hold.

    Attributes:
        conditions: none: holds for all.
        share: from 0 to 1.
    """

    conditions: tuple[Condition, ...]
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TracingSettings:
    """Which spans are kept.

    Attributes:
        sampler: for spans that no rule is about: one of `SAMPLERS`, or the name of an entry point.
        argument: of the sampler: the share for a ratio, else whatever an entry point takes; may be empty.
        rules: see this module.
    """

    sampler: str = SAMPLER
    argument: str = ""
    rules: tuple[Rule, ...] = ()


def resolve_tracing(env: Environment, sampling: str | None = None) -> TracingSettings:
    """The settings; a rule or a sampler that cannot be used is one problem, and left out.

    Args:
        env: the environment.
        sampling: the argument of `init`, already checked.
    """
    sampler, argument = _sampler(env)
    source, text = (ARGUMENT, sampling) if sampling is not None else (DEFAULT, "")
    given = env.find("OTEL_KIT_SAMPLING")
    if sampling is None and given is not None:
        source, text = given
    env.note("sampling", [part.strip() for part in text.split(";")], source)
    found = list(rules_of(text))
    env.problems += [f"{source}: a rule is left out: {wrong}" for wrong in found if isinstance(wrong, str)]
    return TracingSettings(
        sampler=sampler, argument=argument, rules=tuple(rule for rule in found if isinstance(rule, Rule))
    )


def rules_of(text: str) -> Iterator[Rule | str]:
    """Each rule, or what is wrong with it."""
    for part in text.split(";"):
        if part.strip():
            try:
                yield _rule(part.strip())
            except ValueError as error:
                yield f"{part.strip()!r}: {error}"


def _rule(text: str) -> Rule:
    conditions, _, share = text.rpartition("@")
    try:
        number = float(share)
    except ValueError:
        raise ValueError(f"no share after @; {_FORM}") from None
    if not 0 <= number <= 1:  # NaN is none of these either
        raise ValueError("its share is not from 0 to 1")
    if conditions.strip() == "*":
        return Rule(conditions=(), share=number)
    return Rule(conditions=tuple(_condition(c.strip()) for c in conditions.split("&")), share=number)


def _condition(text: str) -> Condition:
    kind, _, rest = text.partition(":")
    if kind == "attribute":
        key, equals, value = rest.partition("=")
        if not key.strip() or not equals:
            raise ValueError(f"{text!r} needs a key and a value; write attribute:customer.tier=free")
        return Condition(kind="attribute", key=unquote(key.strip()), pattern=pattern(value))
    if kind == "route" and rest.strip()[:1] in ("/", "*"):
        return Condition(kind="route", pattern=pattern(rest, segments=True))
    if kind == "route":
        raise ValueError(f"{text!r} does not begin with /; write route:/orders/{{id}}")
    if kind == "name" and rest.strip():
        return Condition(kind="name", pattern=pattern(rest))
    raise ValueError(f"{text!r} is no condition; {_FORM}")


def _sampler(env: Environment) -> tuple[str, str]:
    default = SAMPLER
    given = env.text("OTEL_TRACES_SAMPLER") or default
    argument = env.text("OTEL_TRACES_SAMPLER_ARG") or ""
    name = given.lower()
    if name not in SAMPLERS:
        if is_offered("opentelemetry_traces_sampler", given):
            return given, argument
        env.note("traces_sampler", default, DEFAULT)
        known = ", ".join(SAMPLERS)
        env.problems.append(
            f"OTEL_TRACES_SAMPLER={given!r} cannot be used, so {default!r} is; use one of {known}"
        )
        return default, ""
    if name.endswith("traceidratio") and not _is_share(argument):
        env.problems.append(
            f"OTEL_TRACES_SAMPLER_ARG={argument!r} cannot be used, so '1' is; use a number from 0 to 1"
        )
        return name, "1"
    return name, argument


def _is_share(text: str) -> bool:
    try:
        return 0 <= float(text) <= 1
    except ValueError:
        return False

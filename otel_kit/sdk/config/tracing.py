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
from otel_kit.sdk.config.patterns import is_offered, pattern, read_rules
from otel_kit.sdk.config.refused import quoted

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
    rules = dict(rules_of(text))
    env.problems += [
        f"{source}: a rule is left out: {wrong}" for wrong in rules.values() if isinstance(wrong, str)
    ]
    kept = {part: rule for part, rule in rules.items() if isinstance(rule, Rule)}
    env.note("sampling", list(kept), source if kept else DEFAULT)
    return TracingSettings(sampler=sampler, argument=argument, rules=tuple(kept.values()))


def rules_of(text: str) -> Iterator[tuple[str, Rule | str]]:
    """Each rule as it is written, with its meaning or with what is wrong with it."""
    return read_rules(text, _rule)


def _rule(text: str) -> Rule:
    conditions, _, share = text.rpartition("@")
    try:
        number = float(share)
    except ValueError:
        raise ValueError(f"no share after @; {_FORM}") from None
    if not 0 <= number <= 1:  # NaN is none of these either
        raise ValueError("its share is not from 0 to 1; write route:/search@0.1 for a tenth")
    if conditions.strip() == "*":
        return Rule(conditions=(), share=number)
    return Rule(conditions=tuple(_condition(c.strip()) for c in conditions.split("&")), share=number)


def _condition(text: str) -> Condition:
    kind, _, rest = text.partition(":")
    if kind == "attribute":
        key, equals, value = rest.partition("=")
        if not key.strip() or not equals:
            raise ValueError("an attribute needs a key and a value; write attribute:customer.tier=free")
        return Condition(kind="attribute", key=unquote(key.strip()), pattern=pattern(value))
    if kind == "route" and rest.strip()[:1] in ("/", "*"):
        return Condition(kind="route", pattern=pattern(rest, segments=True))
    if kind == "route":
        raise ValueError("a route does not begin with /; write route:/orders/{id}")
    if kind == "name" and rest.strip():
        return Condition(kind="name", pattern=pattern(rest))
    raise ValueError(f"what stands before @ is no condition; {_FORM}")


def _sampler(env: Environment) -> tuple[str, str]:
    """Name and argument of the sampler that decides where no rule holds."""
    source, given = env.find("OTEL_TRACES_SAMPLER") or (DEFAULT, SAMPLER)
    argument = env.find("OTEL_TRACES_SAMPLER_ARG")
    name = given.lower() if given.lower() in SAMPLERS else given
    if name not in SAMPLERS and not is_offered("opentelemetry_traces_sampler", name):
        env.problems.append(
            f"OTEL_TRACES_SAMPLER={quoted(given)} cannot be used, so {SAMPLER!r} is; use one of "
            f"{', '.join(SAMPLERS)}"
        )
        source, name, argument = DEFAULT, SAMPLER, None
    env.note("traces_sampler", name, source)
    if name in SAMPLERS and name.endswith("traceidratio") and not _is_share(argument[1] if argument else ""):
        shown = quoted(argument[1] if argument else "")
        env.problems.append(
            f"OTEL_TRACES_SAMPLER_ARG={shown} cannot be used, so '1' is; use a number from 0 to 1"
        )
        argument = (DEFAULT, "1")
    if argument is not None:
        env.note("traces_sampler_arg", argument[1], argument[0])
    return name, argument[1] if argument else ""


def _is_share(text: str) -> bool:
    try:
        return 0 <= float(text) <= 1
    except ValueError:
        return False

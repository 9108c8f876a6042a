"""Which traces are kept, by `OTEL_KIT_SAMPLING`, `init(sampling=...)` and `OTEL_TRACES_SAMPLER`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any

import pytest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace.sampling import Decision, Sampler
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    TraceFlags,
    set_span_in_context,
)

import otel_kit
from otel_kit.errors import InputError
from otel_kit.sdk.config.arguments import Arguments
from otel_kit.sdk.config.settings import Settings, resolve
from otel_kit.sdk.tracing.provider import TracerProvider
from otel_kit.sdk.tracing.rules import make_sampler
from tests.sdk.run import lines, script
from tests.sdk.sink import running_sink


def settings(sampling: str | None = None, **env: str) -> Settings:
    return resolve(Arguments(service="s", sampling=sampling), env, host="h")


def sampler(rules: str, **env: str) -> Sampler:
    made = settings(OTEL_KIT_SAMPLING=rules, **env)
    assert made.problems == ()
    return make_sampler(made.tracing)


def kept(rules: str, name: str = "s", attributes: Mapping[str, Any] | None = None, **env: str) -> float:
    """The share of traces that begin so and are kept."""
    provider = TracerProvider(sampler(rules, **env), Resource({}), shutdown_on_exit=False)
    tracer = provider.get_tracer("t")
    many = 400
    return sum(tracer.start_span(name, attributes=attributes).is_recording() for _ in range(many)) / many


def test_everything_is_kept_by_default() -> None:
    assert kept("") == 1
    assert make_sampler(settings().tracing).get_description().startswith("ParentBased{root:AlwaysOnSampler")


@pytest.mark.parametrize(
    ("rules", "name", "attributes", "share"),
    [
        ("*@0", "s", {}, 0),
        ("name:poll*@0", "poll queue", {}, 0),
        ("name:poll*@0", "a poll", {}, 1),
        ("name:poll*@0", "poll\nqueue", {}, 0),
        ("route:/search@0", "s", {"url.path": "/search"}, 0),
        ("route:/search@0", "s", {"url.path": "/search/more"}, 1),
        ("route:/orders/{id}@0", "s", {"url.path": "/orders/7"}, 0),
        ("route:/orders/{id}@0", "s", {"url.path": "/orders/7/items"}, 1),
        ("route:/orders/{id}@0", "s", {"http.route": "/orders/{id}", "url.path": "/v1/orders/7"}, 0),
        ("route:/static/*@0", "s", {"url.path": "/static/a/b.js"}, 0),
        ("route:/a.c@0", "s", {"url.path": "/abc"}, 1),
        ("route:/users/%40me@0", "s", {"url.path": "/users/@me"}, 0),
        ("route:/users/@me@0", "s", {"url.path": "/users/@me"}, 0),
        ("route:*Orders/Get@0", "s", {"rpc.method": "shop.Orders/Get"}, 0),
        ("attribute:tier=free@0", "s", {"tier": "free"}, 0),
        ("attribute:tier=free@0", "s", {}, 1),
        ("attribute:port=80@0", "s", {"port": 80}, 0),
        ("attribute:cached=true@0", "s", {"cached": True}, 0),
        ("attribute:tier=free&name:s@0", "s", {"tier": "free"}, 0),
        ("attribute:tier=free&name:other@0", "s", {"tier": "free"}, 1),
        ("name:s@1;*@0", "s", {}, 1),
        ("name:other@1; *@0 ;", "s", {}, 0),
    ],
)
def test_the_first_rule_whose_conditions_hold_decides(
    rules: str, name: str, attributes: dict[str, Any], share: float
) -> None:
    assert kept(rules, name, attributes) == share


def test_a_share_is_decided_by_the_trace_id_alike_everywhere() -> None:
    random = Random(5)
    small, large = sampler("*@0.2"), sampler("name:a@0; *@0.6")
    peer = make_sampler(settings(OTEL_TRACES_SAMPLER="traceidratio", OTEL_TRACES_SAMPLER_ARG="0.2").tracing)
    ids = [random.getrandbits(128) for _ in range(2000)]

    def chosen(by: Sampler) -> set[int]:
        answers = {i: by.should_sample(None, i, "s", SpanKind.SERVER) for i in ids}
        return {i for i, answer in answers.items() if answer.decision is Decision.RECORD_AND_SAMPLE}

    assert chosen(small) == chosen(peer)
    assert chosen(small) < chosen(large)
    assert 0.15 < len(chosen(small)) / len(ids) < 0.25


def test_children_follow_their_parents_whatever_the_rules_say() -> None:
    tracer = TracerProvider(sampler("*@0"), Resource({}), shutdown_on_exit=False).get_tracer("t")
    for flags in (0, 1):
        parent = NonRecordingSpan(SpanContext(1, 2, is_remote=True, trace_flags=TraceFlags(flags)))
        child = tracer.start_span("s", set_span_in_context(parent))
        assert child.is_recording() == bool(flags)


def test_where_no_rule_holds_the_sampler_of_opentelemetry_decides() -> None:
    assert kept("name:a@1", "a", OTEL_TRACES_SAMPLER="always_off") == 1
    assert kept("name:a@1", "b", OTEL_TRACES_SAMPLER="always_off") == 0
    assert kept("", OTEL_TRACES_SAMPLER="parentbased_always_off") == 0
    half = kept("", OTEL_TRACES_SAMPLER="parentbased_traceidratio", OTEL_TRACES_SAMPLER_ARG="0.5")
    assert 0.3 < half < 0.7


@pytest.mark.parametrize(
    ("name", "description"),
    [
        ("always_on", "AlwaysOnSampler"),
        ("ALWAYS_OFF", "AlwaysOffSampler"),
        ("traceidratio", "TraceIdRatioBased{0.25}"),
        ("parentbased_traceidratio", "ParentBased{root:TraceIdRatioBased{0.25},"),
    ],
)
def test_the_samplers_of_the_specification(name: str, description: str) -> None:
    made = settings(OTEL_TRACES_SAMPLER=name, OTEL_TRACES_SAMPLER_ARG="0.25")
    assert made.problems == ()
    assert make_sampler(made.tracing).get_description().startswith(description)


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ("route:/a", "no share after @"),
        ("route:/a@many", "no share after @"),
        ("route:/a@2", "not from 0 to 1"),
        ("route:/a@nan", "not from 0 to 1"),
        ("route:a@1", "does not begin with /"),
        ("path:/a@1", "is no condition"),
        ("@1", "is no condition"),
        ("name:@1", "is no condition"),
        ("attribute:tier@1", "needs a key and a value"),
        ("name:a&@1", "is no condition"),
    ],
)
def test_a_wrong_rule_is_one_problem_and_the_others_count(rule: str, why: str) -> None:
    made = settings(OTEL_KIT_SAMPLING=f"{rule}; name:s@0")
    (problem,) = made.problems
    assert problem.startswith("OTEL_KIT_SAMPLING: a rule is left out: ")
    assert why in problem
    assert len(made.tracing.rules) == 1
    with pytest.raises(InputError, match=why):
        settings(sampling=rule)


def test_the_argument_wins_and_must_be_a_text() -> None:
    made = settings(sampling="*@0.5", OTEL_KIT_SAMPLING="nonsense")
    assert (made.problems, [rule.share for rule in made.tracing.rules]) == ((), [0.5])
    with pytest.raises(InputError, match="sampling"):
        otel_kit.init(sampling=0.5)  # type: ignore[arg-type]


def test_wrong_samplers_are_one_problem_each() -> None:
    made = settings(OTEL_TRACES_SAMPLER="sometimes")
    (problem,) = made.problems
    assert "OTEL_TRACES_SAMPLER='sometimes'" in problem
    assert "parentbased_always_on" in problem
    made = settings(OTEL_TRACES_SAMPLER="traceidratio", OTEL_TRACES_SAMPLER_ARG="half")
    (problem,) = made.problems
    assert "OTEL_TRACES_SAMPLER_ARG='half'" in problem
    assert make_sampler(made.tracing).get_description() == "TraceIdRatioBased{1.0}"


def test_a_sampler_of_an_installed_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "odd_sampler.py").write_text(
        "from opentelemetry.sdk.trace.sampling import TraceIdRatioBased\n"
        "def make(argument): return TraceIdRatioBased(float(argument))\n"
        "def wrong(argument): return 5\n"
    )
    info = tmp_path / "odd-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: odd\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[opentelemetry_traces_sampler]\nOdd = odd_sampler:make\nwrong = odd_sampler:wrong\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    made = settings(OTEL_TRACES_SAMPLER="Odd", OTEL_TRACES_SAMPLER_ARG="0.125")
    assert made.problems == ()
    assert make_sampler(made.tracing).get_description() == "TraceIdRatioBased{0.125}"
    for argument, name in (("none", "Odd"), ("1", "wrong")):
        made = settings(OTEL_TRACES_SAMPLER=name, OTEL_TRACES_SAMPLER_ARG=argument)
        assert make_sampler(made.tracing).get_description().startswith("ParentBased{root:AlwaysOnSampler")


def test_a_process_keeps_what_its_variable_says() -> None:
    with running_sink() as sink:
        env = {"OTEL_EXPORTER_OTLP_ENDPOINT": sink.url, "OTEL_KIT_SAMPLING": "name:*@0; bad"}
        with script("plain", env) as part:
            assert part.wait() == 0
            told = [line["message"] for line in lines(part)]
        assert sink.seen.spans == []
    assert sum("OTEL_KIT_SAMPLING: a rule is left out" in line for line in told) == 1

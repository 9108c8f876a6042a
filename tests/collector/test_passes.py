"""The shape of what the passes build, the rules they keep, and what they refuse."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from otel_kit.collector.load import load_spec
from otel_kit.collector.model import Component, Config, Kind
from otel_kit.collector.passes import build
from otel_kit.collector.passes.lint import lint
from otel_kit.collector.spec import Extra, Release, Spec, Tiers
from otel_kit.collector.tiers import roles
from otel_kit.errors import InputError, OtelKitError, UnsupportedError
from tests.parts import ROOT

PROD = load_spec(ROOT / "collector", "prod")
LOCAL = load_spec(ROOT / "collector", "local")


def built(spec: Spec, tier: str = "node") -> Config:
    return build(spec, next(role for role in roles(spec) if role.tier == tier))


def processors(config: Config, pipeline: str) -> tuple[str, ...]:
    found = config.pipeline(pipeline)
    assert found is not None
    return found.processors


def exporters(config: Config, pipeline: str) -> tuple[str, ...]:
    found = config.pipeline(pipeline)
    assert found is not None
    return found.exporters


def component(config: Config, kind: Kind, id_: str) -> dict[str, Any]:
    return dict(next(c.config for c in config.of(kind) if c.id == id_))


def test_the_node_limits_memory_first_and_counts_what_is_enriched_redacted_and_whole() -> None:
    node = built(PROD)
    assert processors(node, "traces") == (
        "memory_limiter",
        "resource",
        "k8s_attributes",
        "resource_detection",
        "transform/redact_traces",
        "redaction/traces",
        "filter/health",
    )
    assert exporters(node, "traces") == ("span_metrics", "load_balancing")
    assert processors(node, "metrics/spans") == ()
    assert exporters(node, "metrics") == exporters(node, "logs") == ("otlp_grpc/gateway",)


def test_only_traces_are_cleaned_of_sql() -> None:
    node = built(PROD)
    assert "db_sanitizer" in component(node, Kind.PROCESSOR, "redaction/traces")
    assert "db_sanitizer" not in component(node, Kind.PROCESSOR, "redaction/logs")


def test_the_gateway_samples_whole_traces_and_adds_nothing_of_its_own() -> None:
    gateway = built(PROD, "gateway")
    assert processors(gateway, "traces") == ("memory_limiter", "tail_sampling")
    assert processors(gateway, "metrics") == processors(gateway, "logs") == ("memory_limiter",)
    assert not gateway.of(Kind.CONNECTOR)
    policies = component(gateway, Kind.PROCESSOR, "tail_sampling")["policies"]
    assert [p["name"] for p in policies] == ["errors", "slow", "base"]
    assert policies[2]["probabilistic"] == {"sampling_percentage": 10}


def test_where_all_is_kept_nothing_holds_traces_back() -> None:
    gateway = built(load_spec(ROOT / "collector", "dev"), "gateway")
    assert processors(gateway, "traces") == ("memory_limiter",)


def test_without_a_gateway_the_fork_stands_before_the_sampler() -> None:
    node = built(replace(LOCAL, sampling=PROD.sampling))
    assert exporters(node, "traces") == ("span_metrics", "forward/sampled")
    assert processors(node, "traces/sampled") == ("tail_sampling",)
    assert exporters(node, "traces/sampled") == ("otlp_http/datadog",)


@pytest.mark.parametrize("tier", ["node", "gateway", "cluster"])
def test_every_tier_queues_on_disk_and_tells_of_itself_as_delta(tier: str) -> None:
    config = built(PROD, tier)
    for exporter in config.of(Kind.EXPORTER):
        assert exporter.config["sending_queue"]["storage"] == "file_storage"
        retry = exporter.config["retry_on_failure"]
        # Not every exporter has defaults for these, and a pause of zero is no pause.
        assert {
            k: retry[k] for k in ("initial_interval", "multiplier", "max_interval", "max_elapsed_time")
        } == {
            "initial_interval": "5s",
            "multiplier": 1.5,
            "max_interval": "30s",
            "max_elapsed_time": "0s",
        }
    periodic, pull = config.telemetry["metrics"]["readers"]
    assert periodic["periodic"]["exporter"]["otlp"]["temporality_preference"] == "delta"
    assert pull["pull"]["exporter"]["prometheus"]["port"] == 8888


def test_what_is_scraped_is_made_delta_where_it_enters() -> None:
    cluster = built(PROD, "cluster")
    assert processors(cluster, "metrics") == (
        "memory_limiter",
        "resource",
        "cumulative_to_delta",
        "redaction/metrics",
    )
    assert [p.id for p in cluster.pipelines] == ["metrics"]


def test_an_extra_processor_stands_after_redaction_and_an_exporter_beside_the_others() -> None:
    trim = Extra(component="transform/trim", tier="node", signals=("traces",), config={"x": 1})
    debug = Extra(component="debug", tier="node", signals=("logs",), config={})
    node = built(replace(PROD, extra=(trim, debug)))
    order = processors(node, "traces")
    assert order.index("redaction/traces") < order.index("transform/trim") < order.index("filter/health")
    assert exporters(node, "logs") == ("otlp_grpc/gateway", "debug")
    assert exporters(node, "traces") == ("span_metrics", "load_balancing")
    assert "transform/trim" not in {c.id for c in built(replace(PROD, extra=(trim,)), "gateway").components}


def test_an_extra_exporter_gets_a_queue_on_disk() -> None:
    backup = Extra(
        component="otlp_http/backup",
        tier="gateway",
        signals=("logs",),
        config={"endpoint": "https://backup.example"},
    )
    gateway = built(replace(PROD, extra=(backup,)), "gateway")
    assert component(gateway, Kind.EXPORTER, "otlp_http/backup")["sending_queue"]["storage"] == "file_storage"


def test_an_extra_exporter_may_say_a_part_of_its_queue_and_retries() -> None:
    own = {"sending_queue": {"num_consumers": 2}, "retry_on_failure": {"max_elapsed_time": "1h"}}
    config = {"endpoint": "https://backup.example", **own}
    backup = Extra(component="otlp_http/backup", tier="gateway", signals=("logs",), config=config)
    exporter = component(built(replace(PROD, extra=(backup,)), "gateway"), Kind.EXPORTER, "otlp_http/backup")
    assert (exporter["sending_queue"]["storage"], exporter["sending_queue"]["num_consumers"]) == (
        "file_storage",
        2,
    )
    retry = exporter["retry_on_failure"]
    assert (retry["initial_interval"], retry["max_elapsed_time"]) == ("5s", "1h")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("atributes/team", "there is no processor or exporter 'atributes'; did you mean 'attributes'?"),
        ("k8sattributes", "0.158.0 calls it 'k8s_attributes'"),
        ("otlphttp", "0.158.0 calls it 'otlp_http'"),
        ("tail_sampling/mine", "'tail_sampling' does not take logs"),
        ("kubelet_stats", "'kubelet_stats' is one of the receivers"),
    ],
)
def test_an_unknown_extra_component_is_refused_with_its_line(tmp_path: Path, name: str, says: str) -> None:
    text = f"extends: {ROOT / 'collector' / 'prod.yaml'}\nenvironment: x\nextra:\n"
    text += f"  - component: {name}\n    tier: node\n    signals: [logs]\n    config: {{}}\n"
    (tmp_path / "x.yaml").write_text(text)
    with pytest.raises(InputError) as caught:
        built(load_spec(tmp_path, "x"))
    assert str(caught.value).startswith(f"{tmp_path}/x.yaml:4: ")
    assert says in str(caught.value)


def test_a_rule_that_an_extra_component_breaks_is_named_with_its_line() -> None:
    config = {"endpoint": "https://a.example"}
    second = Extra(
        component="otlp_http/datadog", tier="gateway", signals=("logs",), config=config, where="x.yaml:7"
    )
    with pytest.raises(
        InputError, match=r"^x\.yaml:7: gateway: exporters::otlp_http/datadog: is defined twice"
    ):
        built(replace(PROD, extra=(second,)), "gateway")


def test_a_component_that_the_distribution_lacks_is_refused_by_name() -> None:
    spec = replace(PROD, collector=Release(version="0.158.0", distribution="local"))
    with pytest.raises(UnsupportedError, match=r"'local' of 0.158.0 has no 'k8s_attributes'; .*contrib, kit"):
        built(spec)
    datadog = Extra(component="datadog", tier="gateway", signals=("logs",), config={})
    with pytest.raises(UnsupportedError, match=r"the distribution 'kit' of 0.158.0 has no 'datadog'"):
        built(replace(PROD, extra=(datadog,)), "gateway")


def test_a_version_that_the_catalogue_lacks_is_refused_by_name() -> None:
    spec = replace(PROD, collector=Release(version="0.100.0", distribution="kit"))
    with pytest.raises(
        UnsupportedError, match=r"no collector 0\.100\.0; set collector\.version to 0\.158\.0"
    ):
        built(spec)


def _without_limiter(config: Config) -> Config:
    traces = config.pipeline("traces")
    assert traces is not None
    return config.with_pipeline(replace(traces, processors=traces.processors[1:]))


def _sampled_first(config: Config) -> Config:
    sampler = Component(kind=Kind.PROCESSOR, id="probabilistic_sampler")
    return config.add(sampler).process(["traces"], sampler.id)


def _not_redacted(config: Config) -> Config:
    traces = config.pipeline("traces")
    assert traces is not None
    kept = tuple(p for p in traces.processors if p != "redaction/traces")
    logs = config.pipeline("logs")
    assert logs is not None
    moved = replace(logs, processors=(*logs.processors, "redaction/traces"))
    return config.with_pipeline(replace(traces, processors=kept)).with_pipeline(moved)


def _unused(config: Config) -> Config:
    return config.add(Component(kind=Kind.PROCESSOR, id="transform/idle"))


def _unknown(config: Config) -> Config:
    return config.process(["logs"], "transform/missing")


def _twice(config: Config) -> Config:
    return config.add(Component(kind=Kind.RECEIVER, id="otlp", config={"another": "config"}))


def _in_memory(config: Config) -> Config:
    first = config.of(Kind.EXPORTER)[0]
    return config.swap(replace(first, config={**first.config, "sending_queue": {}}))


def _wrong_storage(config: Config) -> Config:
    first = config.of(Kind.EXPORTER)[0]
    return config.swap(replace(first, config={**first.config, "sending_queue": {"storage": "redis"}}))


def _secret(config: Config) -> Config:
    first = config.of(Kind.EXPORTER)[-1]
    return config.swap(replace(first, config={**first.config, "headers": {"x-api-key": "abc"}}))


def _dead_end(config: Config) -> Config:
    logs = config.pipeline("logs")
    assert logs is not None
    return config.with_pipeline(replace(logs, exporters=()))


def _wrong_signal(config: Config) -> Config:
    return config.process(["logs"], "cumulative_to_delta")


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (_without_limiter, "service::pipelines::traces: memory_limiter must be the first processor"),
        (_sampled_first, "probabilistic_sampler stands before span_metrics, which would miss spans"),
        (_not_redacted, "service::pipelines::traces: redaction/traces must stand before span_metrics"),
        (_unused, "processors::transform/idle: is defined, but not used by any pipeline"),
        (
            _unknown,
            'service::pipelines::logs: references processor "transform/missing" which is not configured',
        ),
        (_twice, "receivers::otlp: is defined twice"),
        (_in_memory, "exporters::load_balancing: its queue is in memory only"),
        (_wrong_storage, 'exporters::load_balancing: references extension "redis" which is not configured'),
        (_secret, "exporters::otlp_grpc/gateway::headers::x-api-key: a secret stands here in clear"),
        (_dead_end, "service::pipelines::logs: has no exporter"),
        (_wrong_signal, "service::pipelines::logs: cumulative_to_delta does not take logs"),
    ],
)
def test_each_rule_is_kept(damage: Callable[[Config], Config], says: str) -> None:
    with pytest.raises(OtelKitError) as caught:
        lint(damage(built(PROD)), PROD)
    assert says in str(caught.value)
    assert "abc" not in str(caught.value)


def test_a_gateway_that_aggregates_is_refused() -> None:
    delta = Extra(component="cumulative_to_delta", tier="gateway", signals=("metrics",), config={})
    with pytest.raises(InputError, match="a gateway must not aggregate"):
        built(replace(PROD, extra=(delta,)), "gateway")


def test_a_secret_in_a_spec_is_refused_and_a_reference_to_one_is_not() -> None:
    def backup(key: str) -> Spec:
        config = {"endpoint": "https://backup.example", "headers": {"api-key": key}}
        extra = Extra(component="otlp_http/backup", tier="gateway", signals=("logs",), config=config)
        return replace(PROD, extra=(extra,))

    built(backup("${env:BACKUP_KEY}"), "gateway")
    with pytest.raises(InputError, match="a secret stands here in clear") as caught:
        built(backup("s3cret"), "gateway")
    assert "s3cret" not in str(caught.value)


def test_a_cluster_tier_without_a_gateway_sends_to_datadog_itself() -> None:
    tiers = Tiers(node=PROD.tiers.node, cluster=PROD.tiers.cluster)
    spec = replace(PROD, tiers=tiers, sampling=LOCAL.sampling)
    assert exporters(built(spec, "cluster"), "metrics") == ("otlp_http/datadog",)
    assert exporters(built(spec), "traces") == ("span_metrics", "otlp_http/datadog")

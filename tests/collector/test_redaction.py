"""No way for a secret through the real collector: every place of a signal that can hold one, searched in what
comes out; and what holds none comes out as it went in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.collector.pipeline import collector, rendered
from tests.collector.sink import Sink, plain, running
from tests.collector.test_running import CARD, CUMULATIVE, DELTA, counter, log, span
from tests.parts import eventually, free_port

#: Secrets by their value and by their key; none of them may be in anything that leaves.
BY_VALUE, BY_KEY = (CARD, "Bearer abc.def"), "hunter2"


def any_value(value: Any) -> AnyValue:
    if isinstance(value, dict):
        pairs = [KeyValue(key=k, value=any_value(v)) for k, v in value.items()]
        return AnyValue(kvlist_value=KeyValueList(values=pairs))
    if isinstance(value, list):
        return AnyValue(array_value=ArrayValue(values=[any_value(v) for v in value]))
    if isinstance(value, int):
        return AnyValue(int_value=value)
    return AnyValue(string_value=value)


def attributes(**values: Any) -> list[KeyValue]:
    return [KeyValue(key=k.replace("__", "."), value=any_value(v)) for k, v in values.items()]


def secret_span(number: int) -> Span:
    found = span(number, error=True)
    found.name = f"pay {CARD}"
    found.status.message = f"refused: {CARD}, Bearer abc.def"
    found.attributes.extend(attributes(list=[f"one {CARD}", "two"], app__password=["hunter2"], token=7))
    found.attributes.extend(attributes(tree={"note": f"with {CARD}"}, number=4111111111111111))
    return found


def secret_log(number: int) -> LogRecord:
    found = log(number, f"paid with {CARD}")
    found.attributes.extend(
        attributes(
            request={"headers": {"Authorization": "hunter2", "host": "a"}, "size": 7},
            steps=[{"password": "hunter2"}, {"name": "b"}],
            deep={"cookie": ["hunter2"]},
            list=["x", CARD],
        )
    )
    return found


CLEAN_LOG = attributes(
    request={"headers": {"host": "a"}, "tokens": 7},
    tags=["a", "b"],
    said='{"x":{"token":"quoted, not a key"}}',
)


@pytest.fixture(scope="module")
def sink(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sink]:
    """What came out of a collector that was sent secrets everywhere, and clean telemetry."""
    folder = tmp_path_factory.mktemp("redaction")
    with (
        running(Sink(free_port())) as sink,
        collector(rendered(folder), sink.url, folder / "storage") as sender,
    ):
        with_event = secret_span(2)
        event = with_event.events.add(name=f"charged {CARD}", time_unix_nano=1)
        event.attributes.extend(attributes(exception__message=f"no {CARD}"))
        clean = span(3)
        clean.attributes.extend(attributes(list=["a", "b"], tree={"a": {"b": 1}}, number=42))
        sender.spans([secret_span(1), with_event, clean])
        clean_log = log(4, "plain")
        clean_log.attributes.extend(CLEAN_LOG)
        sender.logs([secret_log(1), clean_log])
        for second, value in enumerate((1, 3)):
            metrics = [counter("paid", value, DELTA, second), counter("paid.all", value, CUMULATIVE, second)]
            for metric in metrics:
                points = metric.sum.data_points[0].attributes
                points.extend(attributes(card=CARD, api_key="hunter2", shop="s", list=[CARD]))
            sender.metrics(metrics)
        eventually(lambda: len(sink.spans) >= 3 and len(sink.logs) >= 2, what="spans and logs")
        eventually(lambda: sink.total("traces.span.metrics.calls", service__name="shop") >= 3, what="calls")
        eventually(lambda: sink.total("paid") >= 4 and sink.metric("paid.all"), what="metrics")
        yield sink


def test_no_secret_comes_out_of_any_signal(sink: Sink) -> None:
    messages: list[Span | LogRecord | Metric] = [item for _, item in sink.spans]
    messages += [item for _, item in sink.logs]
    messages += [item for _, item in sink.metrics]
    for message in messages:
        text = str(message)
        assert not [secret for secret in (*BY_VALUE, BY_KEY) if secret in text], text
        assert "4111111111111111" not in text


def test_what_is_around_a_secret_stays(sink: Sink) -> None:
    kept = {s.trace_id[-1]: s for _, s in sink.spans}
    assert kept[1].name == "pay ****"
    assert kept[1].status.message == "refused: ****, ****"
    assert kept[2].events[0].name == "charged ****"
    assert json.loads(plain(kept[1].attributes)["list"]) == ["one ****", "two"]
    (record,) = (r for _, r in sink.logs if r.trace_id[-1] == 1)
    seen = plain(record.attributes)
    assert record.body.string_value == "paid with ****"
    assert (seen["request.headers.host"], seen["request.size"]) == ("a", 7)
    names = [
        plain(p.attributes)["span.name"]
        for m in sink.metric("traces.span.metrics.calls", service__name="shop")
        for p in m.sum.data_points
    ]
    assert set(names) == {"pay ****", "GET /orders/{id}"}


def test_what_holds_no_secret_is_as_it_was(sink: Sink) -> None:
    (clean,) = (s for _, s in sink.spans if s.trace_id[-1] == 3)
    wanted = span(3)
    wanted.attributes.extend(attributes(list=["a", "b"], tree={"a": {"b": 1}}, number=42))
    assert clean.SerializeToString() == wanted.SerializeToString()
    (record,) = (r for _, r in sink.logs if r.trace_id[-1] == 4)
    assert list(record.attributes) == CLEAN_LOG
    assert (record.body.string_value, record.time_unix_nano) == ("plain", log(4, "").time_unix_nano)


def test_metrics_are_masked_after_they_became_delta(sink: Sink) -> None:
    (first, second) = (m.sum.data_points[0] for m in sink.metric("paid"))
    assert first.as_int + second.as_int == 4
    seen = plain(first.attributes)
    assert (seen["card"], seen["api_key"], seen["shop"]) == ("****", "****", "s")
    assert sum(p.as_int for m in sink.metric("paid.all") for p in m.sum.data_points) == 2

"""What comes in by headers, what goes out, and that hostile headers change nothing."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import pytest
from opentelemetry import baggage, trace
from opentelemetry.context import Context
from opentelemetry.propagators.textmap import TextMapPropagator
from opentelemetry.trace import SpanContext
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from otel_kit.sdk.context.propagator import KitPropagator, is_deferred

TRACE, SPAN = 0x0AF7651916CD43DD8448EB211C80319C, 0xB7AD6B7169203331
T, S = f"{TRACE:032x}", f"{SPAN:016x}"
W3C = f"00-{T}-{S}-01"
ALL = KitPropagator(extract=("gcp", "datadog", "b3"), allow=("tenant", "shop.*"))


def parent(headers: Mapping[str, str | list[str]], propagator: KitPropagator = ALL) -> SpanContext:
    return trace.get_current_span(propagator.extract(headers)).get_span_context()


def deferred(headers: Mapping[str, str]) -> bool:
    return is_deferred(ALL.extract(headers))


@pytest.mark.parametrize(
    ("header", "sampled"),
    [
        (f"{T}/{SPAN};o=1", True),
        (f"{T}/{SPAN};o=0", False),
        (f"{T}/{SPAN};o=3", True),
        (f"{T}/{SPAN};o=257", True),
        (f"{T.upper()}/{SPAN};o=1", True),
        (f"  {T}/{SPAN};o=1 ", True),
        (f"{T}/{SPAN};o=1;x=y", True),
        (f"{T}/{SPAN};o=1,{T}/1;o=0", True),
        (f"{T}/{SPAN}", None),
        (f"{T}/{SPAN};o=", None),
    ],
)
def test_cloud_trace_context(header: str, sampled: bool | None) -> None:
    headers = {"x-cloud-trace-context": header}
    found = parent(headers)
    assert (found.trace_id, found.span_id, found.is_remote) == (TRACE, SPAN, True)
    assert int(found.trace_flags) == bool(sampled)
    assert deferred(headers) == (sampled is None)


@pytest.mark.parametrize(
    "header",
    [
        *(
            T,
            f"{T};o=1",
            f"{T}/0;o=1",
            f"{T}/{1 << 64};o=1",
            f"{T}/{S};o=1",
            f"{T[1:]}/1;o=1",
            f"{'0' * 32}/1",
        ),
        *("", "/", f"{T}/ 1;o=1", f"{T}/-1", f"{T}/1" + "x" * 65536, "é" * 40, "\0", f"{T}/١"),  # noqa: RUF001
    ],
)
def test_no_parent_in_cloud_trace_context(header: str) -> None:
    assert not parent({"x-cloud-trace-context": header}).is_valid


def datadog(**more: str) -> dict[str, str]:
    ids = {"trace-id": str(TRACE & (1 << 64) - 1), "parent-id": str(SPAN)}
    return {f"x-datadog-{key.replace('_', '-')}": value for key, value in {**ids, **more}.items()}


def test_datadog() -> None:
    whole = datadog(tags=f"_dd.p.dm=-1,_dd.p.tid={T[:16]}", sampling_priority="2")
    assert parent(whole).trace_id == TRACE
    assert parent(whole).span_id == SPAN
    assert parent(whole).trace_flags.sampled
    assert parent(datadog()).trace_id == TRACE & (1 << 64) - 1
    assert parent(datadog(tags="_dd.p.tid=xyz")).trace_id == TRACE & (1 << 64) - 1
    assert deferred(datadog())
    for priority in ("0", "-1"):
        assert not parent(datadog(sampling_priority=priority)).trace_flags.sampled
        assert not deferred(datadog(sampling_priority=priority))
    for wrong in ({"trace-id": "0"}, {"trace-id": str(1 << 64)}, {"parent-id": "0"}, {"parent-id": S}):
        assert not parent(datadog(**wrong)).is_valid
    assert not parent({"x-datadog-trace-id": "7"}).is_valid


def test_b3() -> None:
    for header in (f"{T}-{S}-1", f"{T}-{S}-d", f"{T.upper()}-{S}-1-{S}"):
        found = parent({"b3": header})
        assert (found.trace_id, found.span_id, found.trace_flags.sampled) == (TRACE, SPAN, True)
    assert parent({"b3": f"{T[16:]}-{S}-0"}).trace_id == TRACE & (1 << 64) - 1
    assert deferred({"b3": f"{T}-{S}"})
    many = {"x-b3-traceid": T, "x-b3-spanid": S}
    assert parent({**many, "x-b3-sampled": "true"}).trace_flags.sampled
    assert parent({**many, "x-b3-flags": "1"}).trace_flags.sampled
    assert not parent({**many, "x-b3-sampled": "0"}).trace_flags.sampled
    assert deferred(many)
    for wrong in (
        "0",
        "1",
        "d",
        f"{T}-{S}-x",
        f"{T}-{S[1:]}-1",
        f"{T[1:]}-{S}-1",
        f"{'0' * 32}-{S}-1",
        "-" * 99,
    ):
        assert not parent({"b3": wrong}).is_valid


def test_w3c_wins_where_it_is_valid() -> None:
    others = {"x-cloud-trace-context": f"{7:032x}/7;o=0", **datadog(), "b3": f"{8:032x}-{8:016x}-0"}
    assert parent({"traceparent": W3C, **others}).trace_id == TRACE
    assert parent({"traceparent": "00-bad", **others}).trace_id == 7
    assert parent({"traceparent": [W3C, W3C]}).trace_id == TRACE
    assert not parent({"traceparent": [W3C, W3C.replace("1", "2")]}).is_valid, "whose trace is it?"
    order = KitPropagator(extract=("b3", "gcp"))
    assert parent(others, order).trace_id == 8
    assert not parent(others, KitPropagator()).is_valid
    assert not parent({"traceparent": W3C}, KitPropagator(w3c=False)).is_valid


@pytest.mark.parametrize("state", [None, "", "a=b", "a=b,c=d", "=", "é=1", "x" * 65536])
def test_w3c_is_read_as_the_api_reads_it(state: str | None) -> None:
    theirs = TraceContextTextMapPropagator()
    for header in (
        *(W3C, W3C[:-2] + "00", W3C[:-2] + "03", W3C.upper(), f" {W3C} ", W3C + "-x", "01" + W3C[2:] + "-x"),
        *("ff" + W3C[2:], f"00-{'0' * 32}-{S}-01", f"00-{T}-{'0' * 16}-01", W3C[:-1], "", f"00-{T}-{S}-0g"),
    ):
        headers = {"traceparent": header} | ({} if state is None else {"tracestate": state})
        expected = trace.get_current_span(theirs.extract(headers)).get_span_context()
        found = parent(headers)
        assert found == expected
        assert found.trace_state == expected.trace_state
        assert found.is_remote == expected.is_remote


def test_what_goes_out() -> None:
    context = ALL.extract(
        {"x-cloud-trace-context": f"{T}/{SPAN};o=1", "baggage": "tenant=a b;p=1, other=x,shop.id=7"}
    )
    carrier: dict[str, str] = {}
    ALL.inject(carrier, baggage.set_baggage("secret", "x", context))
    assert carrier == {"traceparent": W3C, "baggage": "tenant=a+b,shop.id=7"}
    carrier = {}
    KitPropagator().inject(carrier, context)
    assert carrier == {"traceparent": W3C}


def test_baggage_by_allow_list() -> None:
    header = {"baggage": "tenant=7,user=ann%40example.com,shop.id=a%2Cb,shop.bad=a%0Db,=x,tenant"}
    assert baggage.get_all(ALL.extract(header)) == {"tenant": "7", "shop.id": "a,b"}
    assert baggage.get_all(KitPropagator().extract(header)) == {}
    for hostile in ("tenant=" + "x" * 65536, "tenant=1," * 5000, "\xff=\x00", ",;=" * 100, "tenant=%ff%00"):
        entries = baggage.get_all(ALL.extract({"baggage": hostile}))
        assert len(str(entries)) < 200


def test_fields_tell_what_may_be_read() -> None:
    assert KitPropagator().fields == {"traceparent", "tracestate"}
    assert {"x-cloud-trace-context", "b3", "x-b3-traceid", "baggage"} < ALL.fields
    assert KitPropagator(w3c=False).fields == set()


class Raising(TextMapPropagator):
    """Of somebody else, and broken."""

    fields = {"x-theirs"}  # noqa: RUF012

    def extract(self, *_: Any, **__: Any) -> Context:
        raise RuntimeError("broken")

    def inject(self, *_: Any, **__: Any) -> None:
        raise RuntimeError("broken")


class RaisingGetter:
    def get(self, *_: Any) -> list[str]:
        raise RuntimeError("broken")


def test_faults_stay_here() -> None:
    propagator = KitPropagator(foreign=[Raising()])
    assert parent({"traceparent": W3C}, propagator).trace_id == TRACE
    carrier: dict[str, str] = {}
    propagator.inject(carrier, propagator.extract({"traceparent": W3C}))
    assert carrier == {"traceparent": W3C}
    assert ALL.extract({}, Context(), RaisingGetter()) == {}  # type: ignore[arg-type]
    ALL.inject(None, propagator.extract({"traceparent": W3C}))


def test_random_headers_never_raise() -> None:
    seed = random.Random(11)
    names = [*ALL.fields, "x-b3-spanid", "x-b3-sampled", "x-datadog-parent-id", "x-datadog-tags", "baggage"]
    pieces = [
        T,
        S,
        str(SPAN),
        "-",
        "/",
        ";o=",
        "1",
        ",",
        "=",
        "é",
        "\0",
        "\r\n",
        "%zz",
        "_dd.p.tid=",
        "00",
        " ",
        "d",
    ]
    for _ in range(3000):
        headers = {name: "".join(seed.choices(pieces, k=seed.randrange(9))) for name in seed.sample(names, 5)}
        found = ALL.extract(headers)
        span = trace.get_current_span(found).get_span_context()
        assert span.trace_id < 1 << 128
        assert span.span_id < 1 << 64
        assert span.trace_flags in range(256)

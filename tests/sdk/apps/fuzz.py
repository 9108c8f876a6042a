"""Gives the library what no sensible service does (argument: a seed), and tells what it raised."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any

from opentelemetry import baggage, context, metrics, propagate, trace

import otel_kit
from tests.sdk.apps.hostile import any_value, mapping, text

made: Counter[str] = Counter()
raised: Counter[str] = Counter()


def attempt(what: str, call: Callable[[], Any]) -> Any:
    """Do it; nothing may be raised."""
    try:
        return call()
    except BaseException as error:
        raised[f"{what}: {type(error).__name__} {str(error)[:200]}"] += 1
        return None


def spans(random: Random) -> None:
    """One span."""
    tracer = trace.get_tracer("fuzz")
    name = text(random) if random.random() < 0.7 else any_value(random)
    kind: Any = random.choice([*trace.SpanKind, any_value(random)])
    links: Any = random.choice([(), [trace.Link(trace.SpanContext(1, 2, True))], any_value(random)])
    arguments = {"attributes": mapping(random), "kind": kind, "links": links}
    span = attempt("start", lambda: tracer.start_span(name, **arguments))
    if span is None:
        return
    made["spans"] += span.is_recording()
    value = any_value(random)
    with trace.use_span(span, end_on_exit=False):
        attempt("set_attribute", lambda: span.set_attribute(text(random), value))
        attempt("set_attribute", lambda: span.set_attribute(value, text(random)))
        attempt("set_attributes", lambda: span.set_attributes(mapping(random)))
        attempt("add_event", lambda: span.add_event(any_value(random), mapping(random), value))
        attempt("add_link", lambda: span.add_link(random.choice([span.get_span_context(), value])))
        attempt("record_exception", lambda: span.record_exception(random.choice([ValueError("v"), value])))
        attempt("set_status", lambda: span.set_status(random.choice([*trace.StatusCode, value]), value))
        attempt("update_name", lambda: span.update_name(random.choice([text(random), value])))
        if random.random() < 0.5:
            logs(random)
    attempt("end", lambda: span.end(random.choice([None, None, 5, value])))
    attempt("end again", span.end)


def logs(random: Random) -> None:
    """One log record; what logging itself refuses is the service's to know."""
    name, level = text(random), random.choice([20, 30, 40, 50, 55, 1 << 40])
    message = random.choice([text(random), any_value(random)])
    args = tuple(any_value(random) for _ in range(random.choice((0, 0, 1, 2))))
    extra = random.choice([None, mapping(random)])
    exc_info = random.choice([None, None, True, ValueError("v"), (None, None, None), any_value(random)])
    call = (level, message, *args)
    given: Any = {"extra": extra, "exc_info": exc_info, "stack_info": random.random() < 0.1}
    bare = logging.Logger("bare")
    bare.addHandler(logging.NullHandler())
    try:
        bare.log(*call, **given)
    except Exception as error:
        try:
            logging.getLogger("fuzz." + name).log(*call, **given)
            raised[f"logging: {type(error).__name__} no more"] += 1
        except Exception as same:
            if type(same) is not type(error):
                raised[f"logging: {type(same).__name__} in the place of {type(error).__name__}"] += 1
        return
    attempt("log", lambda: logging.getLogger("fuzz." + name).log(*call, **given))
    made["logs"] += 1


def measurements(random: Random) -> None:
    """One measurement of a new instrument, and one of an old one."""
    meter = metrics.get_meter("fuzz")
    unit: Any = random.choice(["", "s", "{item}", text(random), any_value(random)])
    name: Any = random.choice([text(random), text(random), any_value(random), "good.name"])
    for kind, use in (
        ("counter", "add"),
        ("up_down_counter", "add"),
        ("histogram", "record"),
        ("gauge", "set"),
    ):
        instrument = attempt(kind, lambda: getattr(meter, f"create_{kind}")(name, unit, any_value(random)))  # noqa: B023
        value = any_value(random)
        attempt(f"{kind}.{use}", lambda: getattr(instrument, use)(value, mapping(random)))  # noqa: B023
    count = meter.create_counter("fuzz.count")
    attempt("add", lambda: count.add(1, {"n": random.randrange(5)}))
    made["measurements"] += 1
    attempt("add", lambda: count.add(-1, {"n": any_value(random)}))
    values = [metrics.Observation(any_value(random), mapping(random)), any_value(random)]
    attempt("observable", lambda: meter.create_observable_gauge(text(random), [lambda _: values]))


def contexts(random: Random) -> None:
    """One carrier out and one in."""
    carrier: Any = random.choice([{}, {text(random): text(random)}, any_value(random)])
    value = random.choice([text(random), f"00-{'1' * 32}-{'2' * 16}-01", any_value(random)])
    key = random.choice(["traceparent", "tracestate", "baggage", text(random)])
    found = attempt(
        "extract", lambda: propagate.extract(random.choice([{key: value}, {key: [value]}, carrier]))
    )
    attempt("inject", lambda: propagate.inject(carrier))
    if found is not None:
        token = context.attach(baggage.set_baggage(text(random), value, found))
        attempt("inject", lambda: propagate.inject({}))
        context.detach(token)


def main(seed: int) -> None:
    """So many rounds of each."""
    random = Random(seed)
    for number in range(int(os.environ.get("ROUNDS", "150"))):
        for part in (spans, logs, measurements, contexts):
            part(random)
        if number % 50 == 49:
            attempt("flush", otel_kit.force_flush)
    for _ in range(3):  # the last ones deliver what the others have counted
        attempt("flush", lambda: otel_kit.force_flush(20))
    sys.__stdout__.write(json.dumps({"made": made, "raised": raised}) + "\n")  # type: ignore[union-attr]


if __name__ == "__main__":
    otel_kit.init(service="fuzz")
    main(int(sys.argv[1]))

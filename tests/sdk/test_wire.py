"""Values and attributes on the wire are what the protobuf classes would have written."""

from __future__ import annotations

import enum
import tracemalloc
from collections import deque
from collections.abc import Iterator, Mapping
from random import Random
from typing import Any

import pytest
from opentelemetry.exporter.otlp.proto.common._internal import _encode_attributes, _encode_value
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from otel_kit.sdk.otlp.wire import Attributes, any_value, key_value, varint
from otel_kit.sdk.privacy.redact import make_redactor
from otel_kit.sdk.privacy.settings import PrivacySettings
from tests.sdk import random_data


class Color(str, enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    HIGH = 7


class Shouting(str):
    def __str__(self) -> str:
        raise RuntimeError("no text")


class Broken(Mapping[str, Any]):
    def __getitem__(self, key: str) -> Any:
        raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        raise RuntimeError("cannot be read")

    def __len__(self) -> int:
        return 1

    def __str__(self) -> str:
        return "broken"


def decoded(value: object) -> AnyValue:
    return AnyValue.FromString(any_value(value))


def written(attributes: Attributes, data: Mapping[Any, Any]) -> list[KeyValue]:
    """As attributes of a resource, whose field has the tag 0x0a."""
    parts: list[bytes] = []
    attributes.write(b"\x0a", data, parts)
    return list(Resource.FromString(b"".join(parts)).attributes)


@pytest.mark.parametrize("seed", range(10))
def test_values_and_pairs_are_those_of_the_protobuf_classes(seed: int) -> None:
    random = Random(seed)
    for _ in range(40):
        value = random_data.value(random)
        assert decoded(value).SerializeToString(deterministic=True) == _encode_value(value).SerializeToString(
            deterministic=True
        )
        pair = KeyValue.FromString(key_value("key", value))
        assert (pair.key, pair.value.SerializeToString()) == ("key", _encode_value(value).SerializeToString())


@pytest.mark.parametrize("seed", range(5))
def test_attributes_come_out_the_same_whether_remembered_or_not(seed: int) -> None:
    random = Random(seed)
    ours = Attributes(remember=8)
    for _ in range(100):
        data = random_data.attributes(random)
        expected = [pair.SerializeToString() for pair in _encode_attributes(data)]
        assert [pair.SerializeToString() for pair in written(ours, data)] == expected


def test_equal_values_of_different_kinds_are_not_mistaken_for_each_other() -> None:
    ours = Attributes()
    for value in (1, True, 1.0, 1, True, 1.0, 0, False, 0.0, -0.0, "1", b"1"):
        assert str(written(ours, {"k": value})) == str(_encode_attributes({"k": value}))


@pytest.mark.parametrize("bits", [0, 1, 7, 8, 13, 14, 15, 21, 28, 32, 35, 49, 56, 62, 63])
def test_whole_numbers_at_the_edges(bits: int) -> None:
    for number in ((1 << bits) - 1, 1 << bits, -(1 << bits)):
        if -(1 << 63) <= number < 1 << 63:
            assert decoded(number).int_value == number


def test_a_number_that_has_no_place_is_sent_as_text() -> None:
    assert decoded(1 << 63).string_value == "9223372036854775808"
    assert decoded(-(1 << 63) - 1).string_value == "-9223372036854775809"
    assert "int" in decoded(10**6000).string_value  # Python refuses to write that one out


def test_lone_surrogates_become_question_marks() -> None:
    assert decoded("a\ud800b").string_value == "a?b"
    assert written(Attributes(), {"k\udcff": "\udcff"})[0] == KeyValue(
        key="k?", value=AnyValue(string_value="?")
    )


def test_subclasses_are_sent_as_what_they_are() -> None:
    assert decoded(Color.RED).string_value == "red"
    assert decoded(Level.HIGH).int_value == 7
    assert decoded(Shouting("loud")).string_value == "loud"
    assert [v.int_value for v in decoded(deque([1, 2])).array_value.values] == [1, 2]


def test_a_circle_ends() -> None:
    circle: list[Any] = []
    circle.append(circle)
    assert decoded(circle).HasField("array_value")


def test_what_cannot_be_read_takes_no_other_attribute_with_it() -> None:
    pairs = written(Attributes(), {"a": 1, "b": Broken(), 3: object, "c": "last"})
    assert [pair.key for pair in pairs] == ["a", "b", "3", "c"]
    assert pairs[1].value.string_value == "broken"
    assert pairs[3].value.string_value == "last"


def test_texts_are_redacted_wherever_they_are() -> None:
    data = {
        "plain": "fine",
        "direct": "password=hunter2",
        "list": ["password=hunter2", 1, ("password=hunter2", None)],
        "map": {"password": "hunter2", "other": True},
        "kind": Shouting("password=hunter2"),
        "credentials": {"user": "hunter2", "bytes": b"hunter2"},
        "broken": Broken(),
    }
    pairs = {pair.key: pair.value for pair in written(Attributes(make_redactor(PrivacySettings())), data)}
    assert "hunter2" not in str(pairs)
    assert pairs["plain"].string_value == "fine"
    assert pairs["direct"].string_value == "password=REDACTED"
    assert pairs["list"].array_value.values[1].int_value == 1
    assert pairs["map"].kvlist_value.values[1].value.bool_value
    assert pairs["credentials"].string_value == "REDACTED"
    assert pairs["broken"].string_value == "broken"


def test_what_was_redacted_is_not_remembered_at_its_full_length() -> None:
    attributes = Attributes(lambda _key, _value: "[redacted]")
    tracemalloc.start()
    try:
        for number in range(300):
            attributes.write(b"\x4a", {"cookie": f"{number}{'c' * 20_000}"}, [])
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 1_000_000


def test_varint_of_a_negative_number_has_ten_bytes() -> None:
    assert varint(-1) == b"\xff" * 9 + b"\x01"

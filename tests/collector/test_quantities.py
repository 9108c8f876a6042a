"""Quantities read and written back."""

from __future__ import annotations

import pytest

from otel_kit.collector.text import Percent, Seconds, Size


@pytest.mark.parametrize(
    ("text", "seconds", "written"),
    [
        ("200ms", 0.2, "200ms"),
        ("15s", 15, "15s"),
        ("1.5s", 1.5, "1500ms"),
        ("2m", 120, "120s"),
        ("1h", 3600, "3600s"),
    ],
)
def test_durations(text: str, seconds: float, written: str) -> None:
    parsed = Seconds.parse(text)
    assert (float(parsed), str(parsed)) == (seconds, written)


@pytest.mark.parametrize("text", ["5", "0s", "s", "-1s", "1d", "", None])
def test_no_durations(text: object) -> None:
    with pytest.raises(ValueError, match="duration"):
        Seconds.parse(text)


@pytest.mark.parametrize(("text", "size"), [("1Ki", 1024), ("256Mi", 256 << 20), ("2Gi", 2 << 30)])
def test_sizes(text: str, size: int) -> None:
    parsed = Size.parse(text)
    assert (int(parsed), str(parsed)) == (size, text)


@pytest.mark.parametrize("text", ["256", "256MB", "0Mi", "1.5Gi", 256])
def test_no_sizes(text: object) -> None:
    with pytest.raises(ValueError, match="size"):
        Size.parse(text)


def test_percentages() -> None:
    assert [Percent.parse(v).plain() for v in (0, 12.5, 100)] == [0, 12.5, 100]
    for wrong in (-1, 100.1, "5", True, None):
        with pytest.raises(ValueError, match="percentage"):
            Percent.parse(wrong)

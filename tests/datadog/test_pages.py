from __future__ import annotations

import pytest

from otel_kit.datadog.pages import paged


def objects(count: int) -> list[dict[str, object]]:
    return [{"id": number} for number in range(count)]


@pytest.mark.parametrize("overlap", [0, 25])
@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 250, 300])
def test_every_object_comes_once(count: int, overlap: int) -> None:
    there = objects(count)
    found = list(paged(lambda start: there[start : start + 100], size=100, overlap=overlap))
    assert found == there


def test_objects_deleted_between_two_pages_hide_no_other() -> None:
    there = objects(250)

    def page_from(start: int) -> list[dict[str, object]]:
        page = there[start : start + 100]
        del there[:12]
        return page

    assert {item["id"] for item in paged(page_from, size=100, overlap=25)} == set(range(250))


def test_a_listing_that_ignores_the_start_ends() -> None:
    asked: list[int] = []

    def page_from(start: int) -> list[dict[str, object]]:
        asked.append(start)
        return objects(100)

    assert len(list(paged(page_from, size=100))) == 100
    assert asked == [0, 100]

"""Read a listing page by page, whatever happens to it meanwhile. Pure: the caller asks for the pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from otel_kit.datadog.model import Json

__all__ = ["paged"]


def paged(page_from: Callable[[int], Sequence[Json]], *, size: int, overlap: int = 0) -> Iterator[Json]:
    """Every object of a listing, once.

    Args:
        page_from: the page of `size` objects that starts with the object of this number.
        size: a shorter page is the last one; so is one without anything new, which a cache in between gives
            that does not look at the number.
        overlap: by how many objects two pages overlap, so that as many may be deleted between two requests
            without one being missed.
    """
    seen: set[str] = set()
    start = 0
    while True:
        page = page_from(start)
        new = [item for item in page if str(item["id"]) not in seen]
        seen.update(str(item["id"]) for item in new)
        yield from new
        if len(page) < size or not new:
            return
        start += size - overlap

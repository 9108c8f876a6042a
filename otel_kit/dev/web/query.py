"""GET /api/v1/query: series of a metric query over a time."""

from __future__ import annotations

from typing import Any, Final

from starlette.routing import Route

from otel_kit.dev.errors import Refusal
from otel_kit.dev.evaluate.timeseries import query_series
from otel_kit.dev.numbers import whole_number
from otel_kit.dev.store.database import Database
from otel_kit.dev.store.series_reader import StoreReader
from otel_kit.dev.web.management import Call, api_route
from otel_kit.dev.web.rate_limits import RateLimits
from otel_kit.errors import OtelKitError

__all__ = ["query_route"]

_MAX_SECONDS: Final = 366 * 86_400


def query_route(database: Database, limits: RateLimits) -> Route:
    """The route; ``from`` and ``to`` are UNIX seconds."""

    def answer(call: Call) -> Any:
        text, start, end = call.query.get("query", ""), _second(call, "from"), _second(call, "to")
        if not 0 < end - start <= _MAX_SECONDS:
            raise Refusal(400, "'to' must be later than 'from', by a year at most")
        try:
            series = query_series(text, StoreReader(database.read()), start, end)
        except OtelKitError as error:
            raise Refusal(400, f"Error parsing query: {error}") from None
        return {
            "status": "ok",
            "res_type": "time_series",
            "resp_version": 1,
            "query": text,
            "from_date": start * 1000,
            "to_date": end * 1000,
            "series": series,
            "values": [],
            "times": [],
            "message": "",
            "group_by": sorted({tag.partition(":")[0] for entry in series for tag in entry["tag_set"]}),
        }

    return api_route("/api/v1/query", {"GET": answer}, limits, name="query")


def _second(call: Call, key: str) -> int:
    found = whole_number(call.query.get(key, ""))
    if found is None:
        raise Refusal(400, f"The parameter '{key}' must be a number of seconds since 1970")
    return found

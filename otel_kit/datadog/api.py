"""Datadog's management API: endpoints, paging, retries and quirks. The only module that speaks HTTP to it.

The official client gives address, keys and user agent; bodies stay raw JSON, because its typed models refuse
or lose what they do not know. Its own retry is off: it repeats a POST blindly, which makes duplicates.

Retries: a 429 was not executed, so any request waits and is repeated. After a 5xx or no answer, what may be
repeated without harm (GET, PUT, validate) is; a create first looks whether its object is there.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import urllib3
from datadog_api_client import ApiClient
from datadog_api_client.exceptions import ApiException
from datadog_api_client.rest import RESTClientObject

from otel_kit.conventions import ENV_DD_HOST, ENV_DD_SITE
from otel_kit.datadog.answers import not_datadog, other_shape, parse_json, refusal
from otel_kit.datadog.connection import configuration_from
from otel_kit.datadog.identity import live_object, read_mark
from otel_kit.datadog.limits import RateLimits
from otel_kit.datadog.model import Json, Kind, Live
from otel_kit.datadog.pages import paged
from otel_kit.datadog.shapes import misshapen, unreadable
from otel_kit.errors import ApiError

__all__ = ["Datadog"]

_PATHS: Final[dict[Kind, str]] = {"monitor": "/api/v1/monitor", "dashboard": "/api/v1/dashboard"}
_MONITORS_A_PAGE: Final = 1000
_DASHBOARDS_A_PAGE: Final = 100
_OVERLAP: Final = 25
_PARALLEL: Final = 8
_TRIES: Final = 4
_TIMEOUT_SECONDS: Final = (5.0, 60.0)
_ONE: Final = re.compile(r"/(monitor|dashboard)/(?!validate$)[^/]+")
_DUPLICATE: Final = re.compile(r"Duplicate of an existing monitor_id:\s*(\d+)")

#: Anything shorter is no key of Datadog's, and would be found in the middle of words.
_SHORTEST_KEY: Final = 8
_NEVER_SENT: Final = (
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.ConnectTimeoutError,
    urllib3.exceptions.SSLError,
    urllib3.exceptions.ProxyError,
)


class _NoAnswerError(ApiError):
    """The request may or may not have been executed."""


class Datadog:
    """One organisation, or the stand-in.

    Args:
        environment: DD_API_KEY, DD_APP_KEY and DD_SITE or DD_HOST.
        told: called with a sentence before a long wait.
        pause: seconds before the first repetition after a fault; doubled each time.

    Raises:
        InputError: a key is missing or an address is not one.
    """

    def __init__(
        self, environment: Mapping[str, str], *, told: Callable[[str], None], pause: float = 1.0
    ) -> None:
        configuration = configuration_from(environment)
        # Connection errors and redirects come back at once: `_call` decides what becomes of them.
        configuration.retry_policy = urllib3.Retry(connect=0, read=0, status=0, other=0, redirect=False)
        self._client = ApiClient(configuration)
        self._client.rest_client = RESTClientObject(configuration, maxsize=_PARALLEL)  # type: ignore[no-untyped-call]
        self._host = configuration.host
        auth: Json = configuration.auth_settings()  # type: ignore[no-untyped-call]
        self._headers = {a["key"]: a["value"] for a in auth.values()}
        self._limits = RateLimits(told)
        self._pause = pause

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def read(self, kind: Kind, whole: frozenset[str]) -> list[Live]:
        """Every object of the organisation; whole in any case where our mark on it is in `whole`.

        Raises:
            ApiError: also where an object with our mark is not of the shape it should have.
        """
        if kind == "monitor":
            return self._monitors()
        found = self._dashboards()
        with ThreadPoolExecutor(_PARALLEL) as pool:
            return list(pool.map(lambda live: self._get(live) if live.mark in whole else live, found))

    def validate(self, body: Json, live_id: str | None) -> None:
        """Ask whether this monitor would be accepted.

        Raises:
            ApiError: with status 400 and Datadog's reason where not.
        """
        one = f"/{live_id}" if live_id else ""
        self._repeated("POST", f"{_PATHS['monitor']}{one}/validate", body=body)

    def create(self, kind: Kind, body: Json, mark: str) -> Live:
        """Create an object that carries `mark`, once: after a fault look for it before sending it again."""
        path = _PATHS[kind]
        for attempt in range(_TRIES):
            try:
                return _live(kind, f"POST {path}", self._call("POST", path, body=body))
            except _NoAnswerError as error:
                if attempt == _TRIES - 1:
                    raise
                time.sleep(self._pause * 2**attempt)
                found = self._find(kind, mark, error)
                if found is not None:
                    return found
            except ApiError as error:
                _refuse_duplicate(error)
                raise
        raise AssertionError("unreachable")

    def update(self, kind: Kind, live_id: str, body: Json) -> Live:
        """Replace an object."""
        path = f"{_PATHS[kind]}/{live_id}"
        return _live(kind, f"PUT {path}", self._repeated("PUT", path, body=body))

    def _get(self, live: Live) -> Live:
        path = f"{_PATHS[live.kind]}/{live.id}"
        return _live(live.kind, f"GET {path}", self._repeated("GET", path))

    def _find(self, kind: Kind, mark: str, fault: ApiError) -> Live | None:
        found = [live for live in self.read(kind, frozenset()) if live.mark == mark]
        if len(found) > 1:
            raise fault
        return found[0] if found else None

    def _monitors(self) -> list[Live]:
        def page_from(start: int) -> list[Json]:
            query = {"page": start // _MONITORS_A_PAGE, "page_size": _MONITORS_A_PAGE}
            return _listed("monitor", self._repeated("GET", _PATHS["monitor"], query=query))

        return [live_object("monitor", item) for item in paged(page_from, size=_MONITORS_A_PAGE)]

    def _dashboards(self) -> list[Live]:
        def page_from(start: int) -> list[Json]:
            query = {"count": _DASHBOARDS_A_PAGE, "start": start}
            answer = self._repeated("GET", _PATHS["dashboard"], query=query)
            return _listed("dashboard", answer.get("dashboards") if isinstance(answer, dict) else None)

        pages = paged(page_from, size=_DASHBOARDS_A_PAGE, overlap=_OVERLAP)
        return [live_object("dashboard", item) for item in pages]

    def _repeated(
        self, method: str, path: str, *, query: Json | None = None, body: Json | None = None
    ) -> Any:
        """A request that may be executed twice without harm."""
        for attempt in range(_TRIES - 1):
            try:
                return self._call(method, path, query=query, body=body)
            except _NoAnswerError:
                time.sleep(self._pause * 2**attempt)
        return self._call(method, path, query=query, body=body)

    def _call(self, method: str, path: str, *, query: Json | None = None, body: Json | None = None) -> Any:
        """One request, repeated only while the rate limit refuses it; the JSON of its answer."""
        request = f"{method} {path}"
        route = _ONE.sub(r"/\1/ID", request)
        for _ in range(_TRIES):
            self._limits.before(route)
            status, headers, answer = self._send(method, path, query, body)
            if not self._limits.after(route, status, headers):
                break
        if 200 <= status < 300:
            return parse_json(request, status, answer)
        error = refusal(request, status, answer)
        if status >= 500 or status == 408:
            raise _NoAnswerError(error.what, fix=error.fix, status=status)
        raise error

    def _send(
        self, method: str, path: str, query: Json | None, body: Json | None
    ) -> tuple[int, Mapping[str, str], bytes]:
        # What a cache remembers of a listing would be taken for what is there.
        headers = {**self._headers, "Accept": "application/json", "Cache-Control": "no-cache"}
        try:
            answer = self._client.call_api(
                path,
                method,
                query_params=list(query.items()) if query else None,
                header_params=headers,
                body=body,
                preload_content=False,
                request_timeout=_TIMEOUT_SECONDS,
            )
            return answer.status, answer.headers, answer.data
        except ApiException as error:
            return int(error.status or 0), error.headers or {}, self._without_keys(error.body)
        except UnicodeDecodeError:
            # The client decodes the body of a refusal as UTF-8, whatever it is.
            raise not_datadog(f"{method} {path}", "was refused with a page that is no text") from None
        except urllib3.exceptions.HTTPError as error:
            raise _unanswered(f"{method} {self._host}{path}", error) from error

    def _without_keys(self, body: Any) -> bytes:
        text = body if isinstance(body, str) else json.dumps(body)
        for key in self._headers.values():
            text = text.replace(key, "***") if len(key) >= _SHORTEST_KEY else text
        return text.encode()


def _live(kind: Kind, request: str, answer: Any) -> Live:
    fault = misshapen(kind, answer, whole=True)
    if fault:
        raise other_shape(request, f"no {kind}: {fault}")
    return live_object(kind, answer)


def _listed(kind: Kind, page: Any) -> list[Json]:
    request = f"GET {_PATHS[kind]}"
    if not isinstance(page, list):
        raise other_shape(request, f"no list of {kind}s")
    for item in page:
        fault = unreadable(kind, item) or (read_mark(kind, item) and misshapen(kind, item, whole=False))
        if fault:
            name = item.get("id") if isinstance(item, dict) else None
            raise other_shape(request, f"{kind} {name}: {fault}")
    return page


def _refuse_duplicate(error: ApiError) -> None:
    """Never write over what was not compared: that would undo changes that no plan has shown."""
    duplicate = _DUPLICATE.search(error.what) if error.status == 400 else None
    if duplicate:
        what = f"it exists as monitor {duplicate[1]}, which the listing did not show"
        raise ApiError(what, fix="run plan again", status=error.status) from error


def _unanswered(request: str, error: Exception) -> ApiError:
    """Why there was no answer; a `_NoAnswerError` where the request may have been executed all the same."""
    reason = error.reason if isinstance(error, urllib3.exceptions.MaxRetryError) else error
    what = f"{request}: {_cause(reason)}"
    fix = f"check {ENV_DD_HOST} or {ENV_DD_SITE}, and the network"
    sent = not isinstance(reason, _NEVER_SENT)
    return _NoAnswerError(what, fix="try again") if sent else ApiError(what, fix=fix)


def _cause(reason: BaseException | None) -> str:
    if isinstance(reason, urllib3.exceptions.NameResolutionError):
        return "the host name is not known"
    if isinstance(reason, urllib3.exceptions.ProtocolError):
        return "the connection broke off"
    inner = getattr(reason, "__cause__", None)
    if isinstance(inner, OSError) and inner.strerror:
        return inner.strerror.lower()
    if isinstance(reason, urllib3.exceptions.TimeoutError):
        return "no answer in time"
    return " ".join(str(reason).split())

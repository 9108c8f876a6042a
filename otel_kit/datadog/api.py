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
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import urllib3
from datadog_api_client import ApiClient
from datadog_api_client.exceptions import ApiException
from datadog_api_client.rest import RESTClientObject

from otel_kit.conventions import ENV_DD_HOST, ENV_DD_SITE
from otel_kit.datadog.answers import not_datadog, parse_json, refusal
from otel_kit.datadog.connection import configuration_from
from otel_kit.datadog.identity import live_object, read_mark
from otel_kit.datadog.limits import RateLimits
from otel_kit.datadog.model import Json, Kind, Live
from otel_kit.errors import ApiError

__all__ = ["Datadog"]

_PATHS: Final[dict[Kind, str]] = {"monitor": "/api/v1/monitor", "dashboard": "/api/v1/dashboard"}
_MONITORS_A_PAGE: Final = 1000
_DASHBOARDS_A_PAGE: Final = 100
_PARALLEL: Final = 8
_TRIES: Final = 4
_TIMEOUT_SECONDS: Final = (5.0, 60.0)
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

    def marked(self, kind: Kind, whole: frozenset[str]) -> list[Live]:
        """Every object with our mark; with its whole body where the mark is in `whole`."""
        listing = self._monitors() if kind == "monitor" else self._dashboards()
        found = [live_object(kind, body) for body in listing if read_mark(kind, body)]
        if kind == "monitor":
            return found
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
                return live_object(kind, self._call("POST", path, body=body))
            except _NoAnswerError as error:
                if attempt == _TRIES - 1:
                    raise
                time.sleep(self._pause * 2**attempt)
                found = self._find(kind, mark, error)
                if found is not None:
                    return found
            except ApiError as error:
                return self._adopted(kind, body, mark, error)
        raise AssertionError("unreachable")

    def update(self, kind: Kind, live_id: str, body: Json) -> Live:
        """Replace an object."""
        return live_object(kind, self._repeated("PUT", f"{_PATHS[kind]}/{live_id}", body=body))

    def _get(self, live: Live) -> Live:
        return live_object(live.kind, self._repeated("GET", f"{_PATHS[live.kind]}/{live.id}"))

    def _find(self, kind: Kind, mark: str, fault: ApiError) -> Live | None:
        found = [live for live in self.marked(kind, frozenset()) if live.mark == mark]
        if len(found) > 1:
            raise fault
        return found[0] if found else None

    def _adopted(self, kind: Kind, body: Json, mark: str, error: ApiError) -> Live:
        """A create that Datadog calls a duplicate of an object of ours becomes an update of that object."""
        duplicate = _DUPLICATE.search(error.what) if error.status == 400 else None
        if duplicate is None:
            raise error
        live = live_object(kind, self._repeated("GET", f"{_PATHS[kind]}/{duplicate[1]}"))
        if live.mark != mark:
            raise error
        return self.update(kind, live.id, body)

    def _monitors(self) -> Iterator[Json]:
        page = 0
        while True:
            query = {"page": page, "page_size": _MONITORS_A_PAGE}
            monitors = _listed(self._repeated("GET", _PATHS["monitor"], query=query), "GET /api/v1/monitor")
            yield from monitors
            if len(monitors) < _MONITORS_A_PAGE:
                return
            page += 1

    def _dashboards(self) -> Iterator[Json]:
        start = 0
        while True:
            query = {"count": _DASHBOARDS_A_PAGE, "start": start}
            answer = self._repeated("GET", _PATHS["dashboard"], query=query)
            page = answer.get("dashboards") if isinstance(answer, dict) else None
            dashboards = _listed(page, "GET /api/v1/dashboard")
            yield from dashboards
            if len(dashboards) < _DASHBOARDS_A_PAGE:
                return
            start += _DASHBOARDS_A_PAGE

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
        request, route = f"{method} {path}", f"{method} {re.sub(r'/[^/]*[0-9][^/]*$', '/ID', path)}"
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
        headers = {**self._headers, "Accept": "application/json"}
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


def _listed(page: Any, request: str) -> list[Json]:
    if not isinstance(page, list) or not all(isinstance(item, dict) and "id" in item for item in page):
        raise not_datadog(request, "was answered with JSON of another shape")
    return page


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

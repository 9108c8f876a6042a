"""What an answer of Datadog's API that is not the wanted one means, as one sentence. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from otel_kit.errors import ApiError

__all__ = ["errors_of", "not_datadog", "other_shape", "parse_json", "refusal"]

_KEYS: Final = "DD_API_KEY, DD_APP_KEY and DD_SITE must belong to one organisation"
_ONE_OBJECT: Final = re.compile(r"/(?:monitor|dashboard)/(?!validate$)")
_REMEDIES: Final = {
    401: f"check the keys: {_KEYS}",
    403: f"check the keys and the application key's scopes: {_KEYS}",
    404: "it may have been deleted meanwhile: run plan again",
    408: "try again",
    429: "the rate limit lasts: try again later",
    512: "Datadog's edge timed out: try again",
}


def refusal(request: str, status: int, body: bytes) -> ApiError:
    """The error for an answer with a status outside 200-299.

    Args:
        request: method and path, for the reader: ``POST /api/v1/monitor``.
        status: the HTTP status.
        body: the answer's body, of any type.
    """
    if 300 <= status < 400:
        return not_datadog(request, f"was redirected ({status})", status)
    told = errors_of(body)
    if not told and _looks_like_html(body):
        return not_datadog(request, f"was answered {status} with an HTML page", status)
    said = f": {'; '.join(told)}" if told else ""
    if status == 404 and not _ONE_OBJECT.search(request):
        return not_datadog(request, f"was answered with 404{said}", status)
    remedy = _REMEDIES.get(status) or ("Datadog has a fault: try again" if status >= 500 else None)
    return ApiError(f"{request} was refused with {status}{said}", fix=remedy, status=status)


def parse_json(request: str, status: int, body: bytes) -> Any:
    """The JSON of a good answer.

    Raises:
        ApiError: for HTML, which a proxy sends, and for anything else that is not JSON.
    """
    try:
        return json.loads(body)
    except ValueError:
        if _looks_like_html(body):
            raise not_datadog(request, "was answered with an HTML page", status) from None
        raise ApiError(f"{request} was answered with broken JSON", fix="try again", status=status) from None


def errors_of(body: bytes) -> list[str]:
    """The sentences in an error body, in any of the shapes that Datadog uses."""
    try:
        answer = json.loads(body)
    except ValueError:
        return []
    if not isinstance(answer, Mapping):
        return []
    errors = answer.get("errors") or answer.get("error") or []
    return [_sentence(item) for item in (errors if isinstance(errors, list) else [errors])]


def _sentence(item: Any) -> str:
    if isinstance(item, Mapping):
        item = item.get("detail") or item.get("message") or item.get("title") or dict(item)
    return " ".join(str(item).split()).rstrip(".")


def not_datadog(request: str, what: str, status: int | None = None) -> ApiError:
    """The error for an answer that something else than Datadog's API gave."""
    fix = "a proxy stands in between, or DD_HOST or DD_SITE is wrong"
    return ApiError(f"{request} {what}, not by Datadog's API", fix=fix, status=status)


def other_shape(request: str, what: str) -> ApiError:
    """The error for good JSON that is not what the request asked for."""
    fix = "a proxy or DD_HOST is to blame if it is not Datadog's API; nothing was guessed"
    return ApiError(f"{request} was answered with JSON of another shape ({what})", fix=fix)


def _looks_like_html(body: bytes) -> bool:
    return body.lstrip()[:1] == b"<"

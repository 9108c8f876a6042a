"""What a check found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Finding", "Status"]

Status = Literal["ok", "warning", "error"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The outcome of one check.

    Attributes:
        check: what was looked at, in one word.
        status: ``error`` where telemetry is lost or wrong, ``warning`` where it is worse than it could be.
        what: the fact with its reason; a sentence without a full stop.
        fix: what to do, empty where nothing is.
    """

    check: str
    status: Status
    what: str
    fix: str = ""

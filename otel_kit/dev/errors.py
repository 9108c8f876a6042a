"""An answer other than 200, raised where the reason is found and turned into HTTP at the edge."""

from __future__ import annotations

__all__ = ["Refusal"]


class Refusal(Exception):  # noqa: N818 - it is an answer, not a failure of ours
    """Refuse a request.

    Args:
        status: the HTTP status.
        message: one sentence for the sender.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message

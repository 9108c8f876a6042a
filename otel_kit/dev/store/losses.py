"""Count what was lost, without letting strange input make a row for each of its kinds."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Final

from otel_kit.dev.model import Loss

__all__ = ["MAX_REASONS", "OTHER_REASONS", "add_losses"]

MAX_REASONS: Final = 200
OTHER_REASONS: Final = "other reasons"
_MAX_LENGTH: Final = 500


def add_losses(connection: sqlite3.Connection, losses: Sequence[Loss]) -> None:
    """Count losses, by signal and reason; reasons beyond `MAX_REASONS` of a signal are counted together."""
    for loss in losses:
        reason = loss.reason[:_MAX_LENGTH]
        known = "SELECT COUNT(*), COUNT(reason = ?2 OR NULL) FROM losses WHERE signal = ?1"
        total, seen = connection.execute(known, (loss.signal, reason)).fetchone()
        if not seen and total >= MAX_REASONS:
            reason = OTHER_REASONS
        connection.execute(
            "INSERT INTO losses VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count",
            (loss.signal, reason, loss.count),
        )

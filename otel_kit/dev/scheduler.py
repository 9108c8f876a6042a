"""Evaluate all monitors again and again, in a thread of its own, and keep what came out."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timezone
from typing import Any

from otel_kit.dev.evaluate.monitor import GroupState, Outcome, evaluate_monitor
from otel_kit.dev.evaluate.notify import Notification
from otel_kit.dev.store import monitoring, objects
from otel_kit.dev.store.database import Database
from otel_kit.dev.store.series_reader import StoreReader
from otel_kit.errors import OtelKitError

__all__ = ["Scheduler", "evaluate_all"]

_LOG = logging.getLogger("otel_kit.dev")


class Scheduler:
    """Runs from `start` to `stop`, the first time at once."""

    def __init__(self, database: Database, every_s: float) -> None:
        self._database = database
        self._every_s = every_s
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="monitors", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, after the evaluation that is under way."""
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped.is_set():
            began = time.monotonic()
            try:
                evaluate_all(self._database, time.time(), stopped=self._stopped)
            except Exception:
                # A full disk or a locked file must not end the evaluation for good.
                _LOG.exception("monitors could not be evaluated")
            took = time.monotonic() - began
            # However many monitors there are, half of the time is left for what arrives.
            self._stopped.wait(max(took, self._every_s - took))


def evaluate_all(database: Database, now: float, *, stopped: threading.Event | None = None) -> None:
    """Evaluate every monitor once; what stands in the way of one is shown at it and stops no other."""
    connection = database.read()
    reader = StoreReader(connection)
    for monitor in objects.list_monitors(connection):
        if stopped is not None and stopped.is_set():
            return
        _evaluate(database, reader, monitor, now)


def _evaluate(database: Database, reader: StoreReader, monitor: Mapping[str, Any], now: float) -> None:
    known = monitoring.groups(database.read(), monitor["id"])
    previous = {name: GroupState(**kept) for name, kept in known.items()}
    outcome, error = None, None
    try:
        outcome = evaluate_monitor(monitor, reader, now, previous)
    except OtelKitError as refused:
        error = str(refused)
    except Exception as failure:
        _LOG.exception("monitor %s could not be evaluated", monitor["id"])
        error = f"the evaluation failed: {type(failure).__name__}: {failure}"
    with database.write() as connection:
        current = objects.load_monitor(connection, monitor["id"])
        # Changed or deleted meanwhile: the next evaluation sees what it is now.
        if current is None or current["modified"] != monitor["modified"]:
            return
        monitoring.set_error(connection, monitor["id"], error)
        if outcome is not None and (outcome.groups != previous or outcome.notifications):
            _keep(connection, current, outcome, now)


def _keep(connection: sqlite3.Connection, monitor: Mapping[str, Any], outcome: Outcome, now: float) -> None:
    monitoring.save_groups(
        connection, monitor["id"], {name: asdict(state) for name, state in outcome.groups.items()}
    )
    overall = monitoring.worst(state.state for state in outcome.groups.values())
    if overall != monitor["overall_state"]:
        moment = datetime.fromtimestamp(int(now), timezone.utc).isoformat()
        changed = {**monitor, "overall_state": overall, "overall_state_modified": moment}
        objects.save_monitor(connection, changed)
    for notification in outcome.notifications:
        monitoring.add_notification(connection, monitor["id"], int(now * 1000), _body(notification))


def _body(notification: Notification) -> dict[str, Any]:
    return {
        "monitor_name": notification.name,
        "group": notification.change.group,
        "from": notification.change.before,
        "to": notification.change.after,
        "value": notification.value,
        "message": notification.message,
        "recipients": list(notification.recipients),
    }

"""Open the SQLite file, and hand out connections: one that writes, and one that reads per thread."""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

from otel_kit.dev.store.schema import APPLICATION_ID, SCHEMA, VERSION
from otel_kit.errors import InputError, ToolError

__all__ = ["Database", "open_database"]


class Database:
    """One SQLite file in WAL mode. What a transaction wrote survives the kill of this process."""

    def __init__(self, path: Path, lock_fd: int) -> None:
        self.path = path
        # Never closed before the end: closing any descriptor of the file drops SQLite's own locks on it.
        self._lock_fd = lock_fd
        self._writer = _connect(path)
        self._writer_lock = threading.Lock()
        self._local = threading.local()

    @contextlib.contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """One transaction: kept when the block ends, undone when it raises."""
        with self._writer_lock:
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
            except BaseException:
                self._writer.execute("ROLLBACK")
                raise
            self._writer.execute("COMMIT")

    def read(self) -> sqlite3.Connection:
        """A connection of this thread that cannot write."""
        found: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if found is None:
            found = _connect(self.path)
            found.execute("PRAGMA query_only = ON")
            self._local.connection = found
        return found

    def close(self) -> None:
        """Fold the write-ahead log into the file and let go of it."""
        with self._writer_lock:
            self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self._writer.close()
            os.close(self._lock_fd)


@contextlib.contextmanager
def open_database(path: Path | None) -> Iterator[Database]:
    """Open `path`, made if it is missing; without one, a file of its own that goes when the block ends.

    Raises:
        InputError: not an SQLite file, not ours, of another version, or not writable.
        ToolError: another process uses it.
    """
    if path is None:
        temporary = tempfile.TemporaryDirectory(prefix="otel-kit-dev-", ignore_cleanup_errors=True)
        with temporary as folder, _opened(Path(folder) / "dev.sqlite") as database:
            yield database
    else:
        with _opened(path) as database:
            yield database


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Database]:
    where = str(path)
    try:
        lock_fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise InputError(
            f"cannot write the database: {error.strerror}", where=where, fix="name a writable file with --db"
        ) from None
    try:
        fcntl.flock(lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _prepare(path)
        database = Database(path, lock_fd)
    except BlockingIOError:
        raise ToolError(
            "another otel-kit dev uses this database",
            where=where,
            fix="stop it, or name another file with --db",
        ) from None
    except sqlite3.Error as error:
        raise InputError(
            f"not a usable SQLite database: {error}", where=where, fix="name another file with --db"
        ) from None
    try:
        yield database
    finally:
        database.close()


def _prepare(path: Path) -> None:
    # Without WAL: a file that is not ours must stay as it is.
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        (tables,) = connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
        if tables == 0:
            connection.executescript(
                f"BEGIN; {SCHEMA} PRAGMA application_id = {APPLICATION_ID};"
                f"PRAGMA user_version = {VERSION}; COMMIT;"
            )
        elif application != APPLICATION_ID:
            raise InputError(
                "this SQLite file was not written by otel-kit dev",
                where=str(path),
                fix="name another file with --db",
            )
        elif version != VERSION:
            raise InputError(
                f"this database has layout {version}, this version of otel-kit needs {VERSION}",
                where=str(path),
                fix="name another file with --db",
            )
    finally:
        connection.close()


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA journal_mode = WAL")
    # Safe against the end of this process; only a power failure may take the last commits.
    connection.execute("PRAGMA synchronous = NORMAL")
    # Folding the log into the file waits for the disk: do it every 32 MB rather than every 4.
    connection.execute("PRAGMA wal_autocheckpoint = 8000")
    return connection

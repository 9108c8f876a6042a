"""Tells this process apart from all others that write the same metrics, with as few names as that takes.

Datadog keeps one point a second of a series, so two processes must never share one. A name that no process
ever had before is safe, but each costs a set of series: with ``gunicorn --max-requests`` or many short
children, hundreds an hour. So in a pod processes take numbers: the lowest one that nobody holds, and that
nobody used for this very second or a later one. A file a number, locked while the process lives, remembers
the last second that was used; whoever takes the number next begins after it. The files lie in ``/dev/shm``,
which containers of a pod share, can be written to where the root file system cannot, and ends with the pod.
The number of that file system is part of the name: a container with one of its own counts for itself.

Only the uid of a pod makes this safe: a host name, the name of a pod or an id from a manifest may be found
twice. There, and where files cannot be locked, a name is the process id with something random: process ids
come again, in each container from 1.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Callable
from struct import Struct
from typing import Final

from otel_kit.sdk.notes import LOGGER

__all__ = ["Writer"]

_SECOND: Final = 1_000_000_000
_STAMP: Final = Struct("<Q")
#: More processes of one pod than this have names with a random part.
_MOST: Final = 256
#: Something else lies in the place of the file, or one of another user.
_NOT_OURS: Final = frozenset({errno.EACCES, errno.EPERM, errno.EISDIR, errno.ELOOP, errno.ENXIO})


class Writer:
    """This process as a writer of series.

    Args:
        begins: what its name begins with.
        shared: whether the processes of this pod, and they alone, have `begins` in common.
        folder: for the files; of this pod alone.

    Attributes:
        name: ``service.instance.id``.
        last: nanoseconds since the epoch; up to the second that it lies in, this name has been used.
        on_change: called when there is another name.
    """

    on_change: Callable[[], None] | None = None

    def __init__(self, begins: str, *, shared: bool, folder: str = "/dev/shm") -> None:  # noqa: S108
        self._begins = begins
        self._shared = shared
        self._folder = folder
        self._file: int | None = None
        self._path = ""
        self._inode = (0, 0)
        self._choose()

    def renew_after_fork(self) -> None:
        """A child has a name of its own; its parent keeps the file, and with it the lock."""
        self._let_go()
        self._choose()
        if self.on_change is not None:
            self.on_change()

    def keep(self) -> bool:
        """Whether the name is still held; else another one is chosen, and it may be the same again.

        A daemon closes all files that it finds, and somebody may clean up the folder.
        """
        if self._file is None or (self._is_ours(self._file) and self._is_in_place()):
            return True
        before = self.name
        self._let_go()
        self._choose()
        if self.name != before and self.on_change is not None:
            self.on_change()
        return False

    def use(self, stamp: int) -> None:
        """Remember that a point is sent with this time."""
        self.last = stamp
        try:
            if self._file is not None and self._is_ours(self._file):
                os.pwrite(self._file, _STAMP.pack(stamp), 0)
        except OSError as error:
            LOGGER.debug("otel-kit: the last second of this process is not kept: %s", error)

    def _let_go(self) -> None:
        if self._file is not None and self._is_ours(self._file):
            os.close(self._file)
        self._file = None

    def _is_ours(self, file: int) -> bool:
        """Whether the number still means what was opened: files are closed, and numbers given again."""
        try:
            return self._is_it(os.fstat(file))
        except OSError:
            return False

    def _is_in_place(self) -> bool:
        """Whether another process that wants this name would find this very file."""
        try:
            return self._is_it(os.lstat(self._path))
        except OSError:
            return False

    def _is_it(self, found: os.stat_result) -> bool:
        return (found.st_dev, found.st_ino) == self._inode

    def _choose(self) -> None:
        self.last = 0
        self.name = f"{self._begins}-{os.getpid()}-{os.urandom(4).hex()}"
        if not self._shared:
            return
        try:
            for number in range(_MOST):
                if self._take(number):
                    return
        except (OSError, ImportError, ValueError) as error:  # the last: of a name that no file can have
            LOGGER.debug("otel-kit: no number for this process: %s", error)

    def _take(self, number: int) -> bool:
        path = f"{self._folder}/otel-kit-{self._begins.replace('/', '_')}-{number}"
        file = self._lock(path)
        if file is None:
            return False
        data = os.pread(file, _STAMP.size, 0)
        last = _STAMP.unpack(data)[0] if len(data) == _STAMP.size else 0
        if last // _SECOND >= time.time_ns() // _SECOND:
            os.close(file)
            return False
        self._file, self._path, self.last = file, path, last
        self.name = f"{self._begins}-{self._inode[0]:x}-{number}"
        return True

    def _lock(self, path: str) -> int | None:
        """The locked file; None where another process has it, or it cannot be ours."""
        import fcntl

        try:
            file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            if error.errno in _NOT_OURS:
                return None
            raise
        try:
            found = os.fstat(file)
            # Whoever may write to the folder may have put a name there of a file that is precious.
            plain = stat.S_ISREG(found.st_mode) and found.st_nlink == 1 and found.st_uid == os.geteuid()
            if plain:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self._inode = found.st_dev, found.st_ino
                return file
        except BlockingIOError:
            pass
        except OSError:
            os.close(file)
            raise
        os.close(file)
        return None

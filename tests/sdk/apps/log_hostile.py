"""Logs what is hard to log, and from where it is hard to log."""

from __future__ import annotations

import atexit
import enum
import io
import logging
import math
import os
import signal
import sys
import threading
import time
from types import FrameType
from typing import Any

import otel_kit

log = logging.getLogger("app")


class Says:
    """Its text logs."""

    def __str__(self) -> str:
        log.info("said by the text")
        return "text"


class Loops:
    """Its text logs itself, whose text logs itself, and so on."""

    def __str__(self) -> str:
        log.info("again %s", self)
        return "loop"


class Mute:
    """Has no text at all."""

    def __repr__(self) -> str:
        raise ValueError

    __str__ = __repr__


class Odd(dict[str, int]):
    """A mapping that does not behave as one."""

    def items(self) -> Any:
        """As a view of a connection that is gone."""
        raise RuntimeError


class Liar(str):
    """A text without a text."""

    def __str__(self) -> str:
        raise RuntimeError


class Colour(str, enum.Enum):
    """As services have them."""

    RED = "red"


class MuteError(Exception):
    """An error without a text."""

    def __str__(self) -> str:
        raise RuntimeError


def contents() -> None:
    """Records with odd contents."""
    log.info("nested %s", Says())
    log.info("endless %s", Loops())
    circle: dict[str, Any] = {}
    circle["me"] = circle
    odd: dict[Any, Any] = {
        "mute": Mute(),
        "odd": Odd(a=1),
        "big": "x" * 5_000_000,
        "many": list(range(100_000)),
        5: "no text as a key",
        "infinite": float("-inf"),
        "colour": Colour.RED,
        "bytes": b"\xff",
        "huge": 10**5000,
        "liar": Liar("said"),
        "\ud800": "\udfff",
        "circle": circle,
        "set": {1},
    }
    log.info("odd", extra=odd)
    log.info("long %s", "y" * 5_000_000)
    log.handle(logging.makeLogRecord({"msg": "made", "name": None, "levelno": 20, "created": None}))
    for when in (math.nan, -5.5, 1e30):
        log.handle(
            logging.makeLogRecord({"msg": f"time {when}", "name": "app", "levelno": 20, "created": when})
        )
    log.handle(logging.makeLogRecord({"msg": "level", "name": "app", "levelno": 10**30, "lineno": -1}))
    try:
        raise MuteError
    except MuteError:
        log.exception("mute")
    log.info("none", exc_info=(None, None, None))
    log.info("stack", stack_info=True)
    closed = io.StringIO()
    closed.close()
    streams: list[Any] = [None, closed]
    for stream in streams:
        sys.stdout, before = stream, sys.stdout
        log.info("without stdout")
        sys.stdout = before


class Cycle:
    """Logs when it is collected."""

    def __init__(self) -> None:
        self.me = self

    def __del__(self) -> None:
        log.info("collected")


def places() -> None:
    """Records amid others of the same thread: from a signal handler, and from the collector of garbage."""
    handled = collected = main = 0

    def on_alarm(signum: int, frame: FrameType | None) -> None:
        nonlocal handled
        del signum, frame
        handled += 1
        log.info("handled")

    log.info("first")  # it loads what finds secrets, and no import may be interrupted by itself
    signal.signal(signal.SIGALRM, on_alarm)
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
    while main < 2000 or not handled:
        Cycle()
        log.info("main")
        collected += 1
        main += 1
        if not main % 100:
            time.sleep(0.02)  # for the thread that encodes: it is not its speed that is tested
    signal.setitimer(signal.ITIMER_REAL, 0)
    import gc

    gc.collect()
    log.info("counted", extra={"handled": handled, "collected": collected, "main": main})


def threads() -> None:
    """Several threads at once, and a child in their midst."""

    def write(name: str) -> None:
        for number in range(200):
            log.info("%s %d", name, number)

    running = [threading.Thread(target=write, args=(f"thread {n}",)) for n in range(4)]
    for thread in running:
        thread.start()
    child = os.fork()
    if child == 0:
        write("child")
        otel_kit.shutdown()
        os._exit(0)
    for thread in running:
        thread.join()
    assert os.waitpid(child, 0)[1] == 0


def main(what: str) -> None:
    """Log it, and more when the interpreter has begun to end."""
    otel_kit.init(service="hostile", logs="both", log_level="INFO", instrument=False)
    atexit.register(lambda: log.info("at exit"))
    {"contents": contents, "places": places, "threads": threads}[what]()
    late.append(Cycle())


late: list[Cycle] = []

if __name__ == "__main__":
    main(*sys.argv[1:])

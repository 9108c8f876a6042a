"""Lines to read at a terminal: what they show, and that colours are for terminals alone."""

from __future__ import annotations

import io
import json
import logging
import os
import pty
import re
import subprocess
import sys
from typing import Any

import pytest
from opentelemetry.trace import SpanContext, TraceFlags

from otel_kit.sdk.logs.entry import Entry, Error
from otel_kit.sdk.logs.lines import Lines
from otel_kit.sdk.logs.text import TextLines
from tests.parts import ROOT

SPAN = SpanContext(0xABC << 100, 0xDEF, is_remote=False, trace_flags=TraceFlags(1))
APP = """
import logging, otel_kit
otel_kit.init(service="shop", logs="stdout")
logging.getLogger("shop.orders").warning("no stöck", extra={"item": 7, "password": "hunter2"})
raise ValueError("at the end\\nin two lines")
"""


def text(
    message: str = "bought",
    level: int = logging.INFO,
    fields: dict[str, Any] | None = None,
    error: Error | None = None,
    span: SpanContext | None = None,
) -> str:
    """The line without its time."""
    site = ("shop.orders", level, "/app/orders.py", 17, "buy")
    entry: Entry = (site, 1700000000.0421, 1, message, fields, error, span)
    time, _, rest = TextLines().line(entry, sent=True).partition(" ")
    assert re.fullmatch(r"\d\d:\d\d:20\.042", time)
    return rest


def test_message_fields_and_trace_on_one_line() -> None:
    assert text(span=SPAN) == "INFO     shop.orders: bought trace=0000abc0"
    fields = {"n": 7, "who": "jane doe", "word": "a/b", "none": None, "list": [1, {"a": "ü"}], "empty": ""}
    assert text(fields=fields) == (
        'INFO     shop.orders: bought n=7 who="jane doe" word=a/b none=null list=[1, {"a": "ü"}] empty=""'
    )
    assert text("m", 25).startswith("Level 25 shop.orders: m")
    assert text("m\n") == "INFO     shop.orders: m"


def test_fields_have_the_names_that_they_have_in_json() -> None:
    fields = {"trace_id": "theirs", "service": "other", "status": "new", "item": 7}
    entry: Entry = (("x", logging.INFO, "/app/x.py", 1, "f"), 1700000000.0, 1, "m", fields, None, None)
    line = json.loads(Lines({"service": "shop"}).line(entry, sent=False))
    shown = text(fields=fields).partition("bought ")[2]
    assert shown == "extra.trace_id=theirs extra.service=other extra.status=new item=7"
    for name, value in (field.split("=") for field in shown.split()):
        assert str(line[name]) == value


def test_what_begins_a_line_is_a_record() -> None:
    forged = "two\n10:00:00.000 INFO shop: forged\x1b[2J\r\x9b\u2028."
    assert text(forged, fields={"k\x1b": "v\nw"}) == (
        r"INFO     shop.orders: two"
        "\n"
        r"  10:00:00.000 INFO shop: forged\x1b[2J\r\x9b\u2028. k\x1b="
        r'"v\nw"'
    )


def test_tracebacks_beneath() -> None:
    error = ("ValueError", "no room", "Traceback ...\nValueError: no room\n")
    assert text(error=error, fields={"code.stacktrace": "Stack ...\n  here"}).splitlines()[1:] == [
        "  Stack ...",
        "    here",
        "  Traceback ...",
        "  ValueError: no room",
    ]
    assert text(error=("ValueError", "no room", "")).splitlines()[1:] == ["  ValueError: no room"]


def test_signs_that_stdout_does_not_have(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), "ascii"))
    assert text("ü\ud800", fields={"ö": "ä"}) == r"INFO     shop.orders: \xfc\ud800 \xf6=\xe4"


def at_terminal(**env: str) -> str:
    """What the application writes to a terminal."""
    shown, terminal = pty.openpty()
    keep = {"PATH": os.environ["PATH"], "TERM": "xterm", "OTEL_KIT_LOG_FORMAT": "text", **env}
    process = subprocess.Popen(
        [sys.executable, "-c", APP], stdout=terminal, stderr=terminal, env=keep, cwd=ROOT
    )
    os.close(terminal)
    found = b""
    while True:
        try:
            part = os.read(shown, 65536)
        except OSError:  # the other end is closed
            part = b""
        if not part:
            break
        found += part
    os.close(shown)
    assert process.wait(30) == 1
    return found.decode().replace("\r\n", "\n")


SHOWN = re.compile(
    r"""WARNING  shop\.orders: no stöck item=7 password=REDACTED
CRITICAL uncaught: uncaught exception
  Traceback \(most recent call last\):
(    .*
)+  ValueError: at the end
  in two lines
"""
)


def untimed(output: str) -> str:
    return re.sub(r"(?m)^\d\d:\d\d:\d\d\.\d{3} ", "", output)


@pytest.mark.parametrize("env", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_no_colours_where_they_are_not_wanted(env: dict[str, str]) -> None:
    assert SHOWN.match(untimed(at_terminal(**env)))


def test_colours_at_a_terminal_alone() -> None:
    coloured = at_terminal()
    assert "\x1b[33mWARNING \x1b[0m" in coloured
    assert SHOWN.match(untimed(re.sub(r"\x1b\[[\d;]*m", "", coloured)))
    env = {"PATH": os.environ["PATH"], "PYTHONIOENCODING": "utf-8", "OTEL_KIT_LOG_FORMAT": "text"}
    piped = subprocess.run([sys.executable, "-c", APP], capture_output=True, env=env, cwd=ROOT, check=False)
    assert SHOWN.match(untimed(piped.stdout.decode()))
    assert piped.stderr == b""

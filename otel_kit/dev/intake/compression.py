"""Undo Content-Encoding without ever holding more than the limit: a bomb ends in a 413."""

from __future__ import annotations

import zlib
from typing import Final

import zstandard

from otel_kit.dev.errors import Refusal

__all__ = ["decompress"]

_GZIP: Final = 16 + zlib.MAX_WBITS
# A zstd frame names the memory its reader must hold; 8 MB is what the format asks every reader to support.
_ZSTD_WINDOW: Final = 8 * 1024 * 1024
# Four bytes of zstd may stand for 128 KB: of so many at once come a few MB at most.
_ZSTD_CHUNK: Final = 256
# Senders write one member or frame; each costs time by itself, also an empty one.
_MAX_PARTS: Final = 101


def decompress(body: bytes, encoding: str, limit: int) -> bytes:
    """Decode `body`; at most `limit` bytes come out.

    Raises:
        Refusal: 400 for a body not in this encoding, 413 for one that is too big, 415 for an unknown one.
    """
    name = encoding.strip().lower()
    if name in {"", "identity"}:
        return _within(body, limit)
    if name == "gzip":
        return _gunzip(body, limit)
    if name == "zstd":
        return _unzstd(body, limit)
    raise Refusal(415, f"content-encoding {name!r} is not supported: send identity, gzip or zstd")


def _within(plain: bytes, limit: int) -> bytes:
    _check_size(len(plain), limit)
    return plain


def _gunzip(body: bytes, limit: int) -> bytes:
    plain, at = bytearray(), 0
    view = memoryview(body)
    try:
        for _ in range(_MAX_PARTS):
            if at == len(body):
                return bytes(plain)
            member = zlib.decompressobj(_GZIP)
            plain += member.decompress(view[at:], limit + 1 - len(plain))
            _check_size(len(plain), limit)
            if not member.eof:
                raise Refusal(400, "the gzip body ends too early")
            at = len(body) - len(member.unused_data)
    except zlib.error as error:
        raise Refusal(400, f"the body is not gzip: {error}") from None
    raise Refusal(400, f"the gzip body has more than {_MAX_PARTS - 1} members")


def _unzstd(body: bytes, limit: int) -> bytes:
    plain, at = bytearray(), 0
    view, reader = memoryview(body), zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW)
    try:
        for _ in range(_MAX_PARTS):
            if at == len(body):
                return bytes(plain)
            frame = reader.decompressobj()
            while not frame.eof:
                if at == len(body):
                    raise Refusal(400, "the zstd body ends too early")
                chunk = view[at : at + _ZSTD_CHUNK]
                plain += frame.decompress(chunk)
                at += len(chunk)
                _check_size(len(plain), limit)
            at -= len(frame.unused_data)
    except zstandard.ZstdError as error:
        raise Refusal(400, f"the body is not zstd: {error}") from None
    raise Refusal(400, f"the zstd body has more than {_MAX_PARTS - 1} frames")


def _check_size(size: int, limit: int) -> None:
    if size > limit:
        raise Refusal(413, f"the request holds more than {limit} bytes after decompression")

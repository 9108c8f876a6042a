"""Undo Content-Encoding without ever holding more than the limit: a bomb ends in a 413."""

from __future__ import annotations

import io
import zlib
from typing import Final

import zstandard

from otel_kit.dev.errors import Refusal

__all__ = ["decompress"]

_GZIP: Final = 16 + zlib.MAX_WBITS
# A zstd frame names the memory its reader must hold; 8 MB is what the format asks every reader to support.
_ZSTD_WINDOW: Final = 8 * 1024 * 1024


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
    if len(plain) > limit:
        raise Refusal(413, f"the request holds more than {limit} bytes after decompression")
    return plain


def _gunzip(body: bytes, limit: int) -> bytes:
    plain, rest = bytearray(), body
    try:
        while rest:
            member = zlib.decompressobj(_GZIP)
            plain += member.decompress(rest, limit + 1 - len(plain))
            _within(bytes(plain) if len(plain) > limit else b"", limit)
            if not member.eof:
                raise Refusal(400, "the gzip body ends too early")
            rest = member.unused_data
    except zlib.error as error:
        raise Refusal(400, f"the body is not gzip: {error}") from None
    return bytes(plain)


def _unzstd(body: bytes, limit: int) -> bytes:
    reader = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW).stream_reader(
        io.BytesIO(body), read_across_frames=True
    )
    try:
        plain: bytes = reader.read(limit + 1)
        # A frame that stops in the middle reads as a short one, so the end is asked for by name.
        if len(plain) <= limit and not _is_complete(body):
            raise Refusal(400, "the zstd body ends too early")
    except zstandard.ZstdError as error:
        raise Refusal(400, f"the body is not zstd: {error}") from None
    return _within(plain, limit)


def _is_complete(body: bytes) -> bool:
    rest = body
    while rest:
        frame = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW).decompressobj()
        frame.decompress(rest)
        if not frame.eof:
            return False
        rest = frame.unused_data
    return True

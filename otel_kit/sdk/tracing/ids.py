"""Random ids from a source of our own.

The SDK takes them from the module `random`, which services seed: then each of their workers has the same ids.
"""

from __future__ import annotations

import os
from random import Random
from typing import Final

from opentelemetry.sdk.trace.id_generator import RandomIdGenerator

__all__ = ["Ids", "random_bits"]

_SOURCE: Final = Random()  # noqa: S311 - ids have to be different, not secret
#: `random_bits(n)` is a whole number of n random bits.
random_bits: Final = _SOURCE.getrandbits
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_SOURCE.seed)


class Ids(RandomIdGenerator):
    """Random ids, never zero."""

    def generate_span_id(self) -> int:
        """64 random bits."""
        return random_bits(64) or 1

    def generate_trace_id(self) -> int:
        """128 random bits."""
        return random_bits(128) or 1

"""Words of an app for its test."""

from __future__ import annotations

import sys

__all__ = ["say"]


def say(*values: object) -> None:
    """A line in one piece: `print` writes its end apart, and what gRPC's C core says comes between."""
    sys.stdout.write(" ".join(map(str, values)) + "\n")
    sys.stdout.flush()

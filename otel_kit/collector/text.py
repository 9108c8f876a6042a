"""Words and quantities as people write them in a spec."""

from __future__ import annotations

import re

__all__ = ["Percent", "Seconds", "Size"]

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_BYTES = {"Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30}


class Seconds(float):
    """A duration, in seconds; written ``200ms``, ``15s``, ``5m``, ``1h``."""

    @classmethod
    def parse(cls, value: object) -> Seconds:
        """Read it; ValueError says what it should look like."""
        match = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m|h)", str(value))
        if match is None or float(match[1]) == 0:
            raise ValueError(f"a duration such as 200ms, 15s or 5m is needed, not {value!r}")
        return cls(float(match[1]) * _SECONDS[match[2]])

    def __str__(self) -> str:
        """As Go reads it: ``1500ms``, ``15s``."""
        return f"{int(self)}s" if self.is_integer() else f"{round(self * 1000)}ms"


class Size(int):
    """A number of bytes; written ``256Mi``, ``2Gi``."""

    @classmethod
    def parse(cls, value: object) -> Size:
        """Read it; ValueError says what it should look like."""
        match = re.fullmatch(r"([1-9]\d*)(Ki|Mi|Gi)", str(value))
        if match is None:
            raise ValueError(f"a size such as 256Mi or 2Gi is needed, not {value!r}")
        return cls(int(match[1]) * _BYTES[match[2]])

    def __str__(self) -> str:
        """As Kubernetes reads it, in the largest unit that fits."""
        unit = next(u for u in ("Gi", "Mi", "Ki", "") if self % _BYTES.get(u, 1) == 0)
        return f"{int(self) // _BYTES.get(unit, 1)}{unit}"


class Percent(float):
    """A share, 0 to 100."""

    @classmethod
    def parse(cls, value: object) -> Percent:
        """Read it; ValueError says what it should look like."""
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 100:
            raise ValueError(f"a percentage from 0 to 100 is needed, not {value!r}")
        return cls(value)

    def plain(self) -> int | float:
        """Without a needless ``.0``."""
        return int(self) if self.is_integer() else float(self)

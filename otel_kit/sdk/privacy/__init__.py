"""What keeps secrets and personal data inside the process."""

from typing import Final

__all__ = ["MARK"]

#: Stands for all that was taken out.
MARK: Final = "REDACTED"

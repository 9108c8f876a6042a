"""``python -m otel_kit.cli``: the same as ``otel-kit``."""

from otel_kit.cli import main

main()

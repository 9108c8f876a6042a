"""What otel-kit costs beside other telemetry, measured; see `python -m benchmarks --help`."""

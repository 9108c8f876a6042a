"""The tests that OpenTelemetry ships with its own packages, run against ours."""

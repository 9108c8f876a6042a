"""What `otel_kit.testing` is made of; nothing here needs pytest."""

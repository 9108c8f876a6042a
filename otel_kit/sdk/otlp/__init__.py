"""Writes OTLP requests as bytes, without a protobuf object for each span, record and point."""

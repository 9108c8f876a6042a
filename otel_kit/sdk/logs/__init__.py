"""Records of the standard library's logging, to stdout and to OTLP."""

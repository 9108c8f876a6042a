"""The SDK's spans, tracer and provider without its locks, copies and detours, and which spans are kept."""

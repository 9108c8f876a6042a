"""Runs inside the peers' environments; it imports nothing but the peer, and the way to ask the sink."""

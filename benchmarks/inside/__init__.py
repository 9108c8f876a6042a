"""Runs inside the peers' environments: imports nothing of this repository but the peer that is set up."""

"""Calls of both gRPC stacks, served and made."""

"""Requests to ASGI applications."""

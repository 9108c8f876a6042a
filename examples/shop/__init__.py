"""A small shop of two real services: a BFF (FastAPI) in front of orders (grpc.aio)."""

"""The pages, and what writes the reference."""

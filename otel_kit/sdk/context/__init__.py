"""Whose trace a request belongs to: headers, baggage, and how far they are trusted."""

"""SQLite: what arrived, the managed objects, and the states of monitors."""

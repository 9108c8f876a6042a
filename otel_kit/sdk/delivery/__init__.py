"""From recorded spans and log records to requests, and from requests of all signals to the collector."""

"""From recorded spans, records and measurements to requests that the collector has taken."""

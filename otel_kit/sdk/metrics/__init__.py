"""The SDK's meters with a quick way for what services do all day: add to a counter, record a duration.

And their collection, so that Datadog keeps each point.
"""

from __future__ import annotations

from otel_kit.datadog.limits import RateLimits


class Clock:
    """Time that passes only by waiting."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def limits() -> tuple[RateLimits, Clock, list[str]]:
    clock, told = Clock(), []  # type: ignore[var-annotated]
    return RateLimits(told.append, clock=clock, sleep=clock.sleep), clock, told


def test_a_429_waits_for_the_reset_and_is_tried_again() -> None:
    limit, clock, told = limits()
    assert limit.after("GET /a", 429, {"X-RateLimit-Reset": "7"})
    limit.before("GET /a")
    assert clock.now == 107.0
    assert told == ["rate limit of GET /a: waiting 7 s"]


def test_the_last_allowed_request_makes_the_next_one_wait() -> None:
    limit, clock, _ = limits()
    last = {"x-ratelimit-name": "boards", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "3"}
    assert not limit.after("GET /a", 200, last)
    assert not limit.after("GET /b", 200, {"x-ratelimit-name": "boards", "x-ratelimit-remaining": "4"})
    limit.before("GET /c")
    assert clock.now == 100.0
    limit.before("GET /b")  # shares the limit by its name
    assert clock.now == 103.0
    limit.before("GET /a")
    assert clock.now == 103.0


def test_a_limit_of_hours_is_not_waited_for() -> None:
    limit, _, _ = limits()
    assert not limit.after("GET /a", 429, {"X-RateLimit-Reset": "3600"})


def test_a_429_that_tells_nothing_waits_a_second() -> None:
    limit, clock, _ = limits()
    assert limit.after("GET /a", 429, {"X-RateLimit-Reset": "soon"})
    limit.before("GET /a")
    assert clock.now == 101.0

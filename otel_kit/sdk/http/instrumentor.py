"""OpenTelemetry's instrumentor of FastAPI with our engine beneath, for those who do without `init()`.

```python
from otel_kit.sdk.http.instrumentor import FastAPIInstrumentor

FastAPIInstrumentor.instrument_app(app, excluded_urls="internal")
```

It takes what theirs takes, and gives spans and metrics to the global providers, or to those it is given.
"""

from __future__ import annotations

from opentelemetry.instrumentation import fastapi as contrib

from otel_kit.sdk.http.hook import HOOK
from otel_kit.sdk.http.install import install

__all__ = ["FastAPIInstrumentor"]


class FastAPIInstrumentor(contrib.FastAPIInstrumentor):
    """An instrumentor of its own, although one that shares theirs' applications.

    Each class of instrumentors has one instance, which its base class would hand on.
    """

    _instance = None
    _is_instrumented_by_opentelemetry = False


install(lambda: HOOK)

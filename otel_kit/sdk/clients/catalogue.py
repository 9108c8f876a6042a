"""Which clients can be instrumented, and by what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from otel_kit.errors import to_install

__all__ = ["CLIENTS", "GOOGLE", "OUTCOMES", "Client", "Outcome", "is_recorded"]

Outcome = Literal["on", "theirs", "beneath", "waiting", "off", "absent", "missing", "refused", "failed"]
#: What was decided about a client by its name, and why; before its import not much. Of gRPC as well.
OUTCOMES: Final[dict[str, tuple[Outcome, str]]] = {}

_CONTRIB: Final = "opentelemetry.instrumentation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A library and the contrib package for it.

    Attributes:
        name: in ``init(instrument=[...])``, and of the extra.
        library: the distribution that has to be installed; the module of the same name is waited for.
        contrib: name of the module under ``opentelemetry.instrumentation``.
        kind: the instrumentor in it.
        tried: versions that were seen to work with it although it says otherwise, as a requirement has them.
    """

    name: str
    library: str
    contrib: str
    kind: str
    tried: str = ""

    @property
    def module(self) -> str:
        """The module of the library."""
        return self.library.lower()

    @property
    def contrib_module(self) -> str:
        """The module of the contrib package."""
        return f"{_CONTRIB}.{self.contrib}"

    @property
    def contrib_distribution(self) -> str:
        """The distribution of the contrib package."""
        return f"{_CONTRIB}.{self.contrib}".replace(".", "-").replace("_", "-")

    @property
    def missing(self) -> str:
        """What to do where the contrib package is not installed."""
        distribution = self.contrib_distribution
        return f"{distribution} is not installed; {to_install(distribution, self.name)}"

    def note(self, outcome: Outcome, why: str = "") -> None:
        """Remember what became of it."""
        OUTCOMES[self.name] = outcome, why


CLIENTS: Final = (
    Client(name="httpx", library="httpx", contrib="httpx", kind="HTTPXClientInstrumentor"),
    Client(name="requests", library="requests", contrib="requests", kind="RequestsInstrumentor"),
    Client(name="aiohttp", library="aiohttp", contrib="aiohttp_client", kind="AioHttpClientInstrumentor"),
    Client(name="urllib3", library="urllib3", contrib="urllib3", kind="URLLib3Instrumentor"),
    Client(name="redis", library="redis", contrib="redis", kind="RedisInstrumentor"),
    Client(name="asyncpg", library="asyncpg", contrib="asyncpg", kind="AsyncPGInstrumentor"),
    Client(name="psycopg", library="psycopg", contrib="psycopg", kind="PsycopgInstrumentor"),
    Client(
        name="sqlalchemy",
        library="SQLAlchemy",
        contrib="sqlalchemy",
        kind="SQLAlchemyInstrumentor",
        tried=">=2.1,<2.2",
    ),
)
#: Distributions of Google that were seen to be recorded, each by the calls of the client beneath it.
GOOGLE: Final = {
    "google-cloud-bigquery": "requests",
    "google-cloud-firestore": "grpc",
    "google-cloud-pubsub": "grpc",
    "google-cloud-secret-manager": "grpc",
    "google-cloud-spanner": "grpc",
    "google-cloud-storage": "requests",
    "google-cloud-tasks": "grpc",
}


def is_recorded(name: str) -> bool:
    """Whether the calls of a client are recorded in this process, by us or by the service itself."""
    return OUTCOMES.get(name, ("off", ""))[0] in ("on", "theirs")

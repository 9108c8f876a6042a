"""A folder with files to load, and a stand-in that starts each test empty."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from otel_kit.datadog.api import Datadog
from otel_kit.datadog.apply import apply_plan, plan_against
from otel_kit.datadog.load import Loaded, load_definitions
from otel_kit.datadog.model import Definition
from otel_kit.datadog.plan import Plan
from tests import system
from tests.datadog.management import Management
from tests.datadog.proxy import Proxy, proxy

API_KEY, APP_KEY = "a" * 16 + "0123456789abcdef", "b" * 24 + "0123456789abcdef"
SERVICES = """
    services:
      - {name: web, kind: http, owner: team-a, tier: 1, slo: 99.5}
      - {name: api, kind: http, owner: team-b, tier: 3, slo: 99}
      - {name: stock, kind: grpc, owner: team-b, tier: 2, slo: 99.9}
"""


@dataclass(frozen=True, slots=True)
class Workspace:
    """monitors/, dashboards/ and services.yaml below `root`."""

    root: Path

    def write(self, files: Mapping[str, str]) -> None:
        """Write files, by path below the root; indentation that all lines share is removed."""
        for name, text in files.items():
            (self.root / name).write_text(textwrap.dedent(text))

    def load(self) -> Loaded:
        """Load them as the commands do."""
        return load_definitions(monitors=self.root / "monitors", dashboards=self.root / "dashboards")

    def relative(self, text: str) -> str:
        """`text` without the way to the root."""
        return text.replace(f"{self.root}/", "")


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    for folder in ("monitors", "dashboards"):
        (tmp_path / folder).mkdir()
    made = Workspace(tmp_path)
    made.write({"services.yaml": SERVICES})
    return made


@pytest.fixture(scope="session")
def stand_in_url() -> Iterator[str]:
    with system.stand_in() as running:
        yield running.url


@pytest.fixture
def datadog(stand_in_url: str) -> Management:
    management = Management(stand_in_url)
    management.clear()
    return management


@dataclass(frozen=True, slots=True)
class Org:
    """The client under test, the proxy it goes through, and the page on the other side."""

    api: Datadog
    proxy: Proxy
    page: Management
    waits: list[str]

    def plan(self, definitions: Sequence[Definition]) -> Plan:
        """What an apply would do."""
        return plan_against(definitions, self.api)

    def apply(self, definitions: Sequence[Definition]) -> list[str]:
        """What was written, as labels."""
        done: list[str] = []
        apply_plan(self.plan(definitions), self.api, lambda a: done.append(f"{a.action.verb} {a.live.name}"))
        return done


@pytest.fixture
def org(datadog: Management) -> Iterator[Org]:
    with proxy(datadog.url) as between:
        environment = {"DD_API_KEY": API_KEY, "DD_APP_KEY": APP_KEY, "DD_HOST": between.url}
        waits: list[str] = []
        api = Datadog(environment, told=waits.append, pause=0.01)
        yield Org(api, between, datadog, waits)
        api.close()

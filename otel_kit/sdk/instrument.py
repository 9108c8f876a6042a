"""Hooks the instrumentations into their libraries, as soon as those are imported."""

from __future__ import annotations

import functools
from types import ModuleType
from typing import TYPE_CHECKING

from otel_kit.sdk.imports import when_imported

if TYPE_CHECKING:
    from otel_kit.sdk.config.http import HttpSettings
    from otel_kit.sdk.config.rpc import RpcSettings
    from otel_kit.sdk.config.settings import Settings
    from otel_kit.sdk.http.hook import AsgiHook
    from otel_kit.sdk.lifecycle import Lifecycle

__all__ = ["instrument"]


def instrument(settings: Settings, lifecycle: Lifecycle) -> None:
    """Install what the settings name; a library that is never imported costs nothing."""
    if "fastapi" in settings.instrument:
        _http(settings.http, lifecycle)
    else:
        _no_http()
    if "grpc" in settings.instrument:
        _rpc(settings.rpc)
    if "threading" in settings.instrument:
        _threads()
    _clients(settings.instrument)


def _http(settings: HttpSettings, lifecycle: Lifecycle) -> None:
    from otel_kit.sdk.http.install import install

    @functools.cache
    def hook() -> AsgiHook:
        from otel_kit.sdk.http.hook import HOOK

        HOOK.begin(settings, lifecycle)
        return HOOK

    install(hook)


def _no_http() -> None:
    from otel_kit.sdk.http.native import silence

    silence()


def _rpc(settings: RpcSettings) -> None:
    def patch(module: ModuleType) -> None:
        from otel_kit.sdk.rpc.hook import patch_grpc

        patch_grpc(module, settings)

    when_imported("grpc", patch)


def _threads() -> None:
    from otel_kit.sdk.context.threads import install

    install()


def _clients(names: frozenset[str]) -> None:
    from otel_kit.sdk.clients.install import install

    install(names)

"""Where Datadog's API is and with which keys, from the environment; checked before anything is sent."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from datadog_api_client import Configuration

from otel_kit.conventions import ENV_DD_API_KEY, ENV_DD_APP_KEY, ENV_DD_HOST, ENV_DD_SITE
from otel_kit.errors import InputError, suggest

__all__ = ["configuration_from"]


def configuration_from(environment: Mapping[str, str]) -> Configuration:
    """The client's configuration: DD_API_KEY and DD_APP_KEY, at DD_HOST (a URL) or else DD_SITE.

    Raises:
        InputError: a key is missing, or an address is not one.
    """
    keys = {
        "apiKeyAuth": _key(environment, ENV_DD_API_KEY),
        "appKeyAuth": _key(environment, ENV_DD_APP_KEY),
    }
    host = environment.get(ENV_DD_HOST, "").strip()
    options: dict[str, Any] = {"host": _checked_url(host)} if host else {}
    configuration = Configuration(  # type: ignore[no-untyped-call]
        api_key=keys, is_iac=True, enable_retry=False, **options
    )
    if not host:
        _check_site(configuration, environment)
    return configuration


def _key(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name, "").strip()
    if not value:
        raise InputError(f"the environment variable {name} is not set", fix=f"export {name}=...")
    if not value.isascii() or not value.isprintable():
        raise InputError(f"the environment variable {name} is not a key", fix="it holds odd characters")
    return value


def _checked_url(text: str) -> str:
    fix = "give a URL such as http://127.0.0.1:8080 or https://api.datadoghq.eu"
    try:
        url = urlsplit(text)
        host, _ = url.hostname, url.port
    except ValueError:
        raise InputError(f"{ENV_DD_HOST}: '{text}' is not a URL", fix=fix) from None
    if url.scheme not in {"http", "https"} or not host:
        raise InputError(f"{ENV_DD_HOST}: '{text}' is not a URL", fix=fix)
    if url.username or url.query or url.fragment:
        raise InputError(f"{ENV_DD_HOST} must be no more than scheme, host, port and path", fix=fix)
    if url.scheme == "http" and not _is_loopback(host):
        raise InputError(f"{ENV_DD_HOST}: the keys would go to '{host}' unencrypted", fix="use https://")
    return text.rstrip("/")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _check_site(configuration: Configuration, environment: Mapping[str, str]) -> None:
    if ENV_DD_SITE in environment:
        configuration.server_variables["site"] = environment[ENV_DD_SITE]
    servers = configuration.get_host_settings()  # type: ignore[no-untyped-call]
    sites = servers[0]["variables"]["site"]["enum_values"]
    site = configuration.server_variables.get("site", sites[0])
    if site not in sites:
        raise InputError(f"{ENV_DD_SITE}: '{site}' is not a Datadog site", fix=suggest(site, set(sites)))

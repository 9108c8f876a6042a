"""A spec -> the text of every file that stands for it."""

from __future__ import annotations

from otel_kit.collector.kubernetes import manifests
from otel_kit.collector.passes import build
from otel_kit.collector.render import config_text, documents
from otel_kit.collector.spec import Spec
from otel_kit.collector.tiers import roles

__all__ = ["generate"]


def generate(spec: Spec) -> dict[str, str]:
    """``config/TIER.yaml`` and, in Kubernetes, ``manifests/NAME.yaml``: relative name -> text.

    Raises:
        OtelKitError: the spec asks for what cannot work or is not to be had.
    """
    configs = {role.tier: build(spec, role) for role in roles(spec)}
    texts = {tier: config_text(config, spec) for tier, config in configs.items()}
    files = {f"config/{tier}.yaml": text for tier, text in texts.items()}
    if spec.kubernetes is not None:
        for name, objects in manifests(spec, configs, texts).items():
            files[f"manifests/{name}.yaml"] = documents(objects, spec)
    return files

"""Carry a plan out: every changed monitor is validated by Datadog before the first write, then one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from otel_kit.datadog.model import KINDS, Definition, Json, Kind, Live
from otel_kit.datadog.plan import Action, Plan, make_plan, wanted_marks
from otel_kit.errors import ApiError, InputError, OtelKitError

__all__ = ["Api", "Applied", "apply_plan", "plan_against"]


class Api(Protocol):
    """What is needed of Datadog; `otel_kit.datadog.api.Datadog` is it."""

    def marked(self, kind: Kind, whole: frozenset[str]) -> list[Live]:
        """Every object of `kind` with our mark; with its whole body where the mark is in `whole`."""

    def validate(self, body: Json, live_id: str | None) -> None:
        """Ask whether this monitor would be accepted; `ApiError` if not."""

    def create(self, kind: Kind, body: Json, mark: str) -> Live:
        """Create, exactly once also when an answer gets lost."""

    def update(self, kind: Kind, live_id: str, body: Json) -> Live:
        """Replace."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """One action that is done, and the object as Datadog has it now."""

    action: Action
    live: Live


def plan_against(definitions: Sequence[Definition], api: Api) -> Plan:
    """Read what Datadog has and compare; reads only."""
    live = [item for kind in KINDS for item in api.marked(kind, wanted_marks(definitions, kind))]
    return make_plan(definitions, live)


def apply_plan(plan: Plan, api: Api, done: Callable[[Applied], None]) -> None:
    """Do all of the plan, or stop at the first refusal and say what was applied and what was not.

    Args:
        plan: what to do.
        api: where.
        done: told of each object as soon as it is written.

    Raises:
        InputError: Datadog would refuse a monitor; nothing was written.
        ApiError: a write failed; its sentence names what was applied before it and what was not.
    """
    _validate(plan.actions, api)
    for position, action in enumerate(plan.actions):
        try:
            live = _write(action, api)
        except OtelKitError as error:
            raise _stopped(error, plan.actions, position) from error
        done(Applied(action=action, live=live))


def _validate(actions: Iterable[Action], api: Api) -> None:
    refused: list[str] = []
    for action in actions:
        if action.definition.kind != "monitor":
            continue
        try:
            api.validate(action.body, action.live.id if action.live else None)
        except ApiError as error:
            if error.status != 400:
                raise
            refused.append(f"{action.definition.where('query')}: {action.label}: {error.what}")
    if refused:
        raise InputError(f"Datadog would refuse {'; '.join(refused)}", fix="nothing was written")


def _write(action: Action, api: Api) -> Live:
    kind = action.definition.kind
    if action.live is None:
        return api.create(kind, action.body, action.definition.id)
    return api.update(kind, action.live.id, action.body)


def _stopped(error: OtelKitError, actions: Sequence[Action], position: int) -> ApiError:
    failed = actions[position]
    applied, left = actions[:position], actions[position + 1 :]
    what = f"{failed.verb} of {failed.label} failed: {error}"
    return ApiError(
        f"{what}; {_listed('applied before it', applied)}; {_listed('not tried', left)}",
        where=failed.definition.where(),
        fix="mend it and apply again: what is applied stays, the rest follows",
        status=error.status if isinstance(error, ApiError) else None,
    )


def _listed(title: str, actions: Sequence[Action]) -> str:
    names = ", ".join(action.label for action in actions)
    return f"{title}: {names or 'nothing'}"

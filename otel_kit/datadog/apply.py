"""Carry a plan out: every changed monitor is validated by Datadog before the first write, then one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from otel_kit.datadog.model import KINDS, Definition, Json, Kind, Live
from otel_kit.datadog.plan import Action, Plan, make_plan, wanted_marks
from otel_kit.errors import ApiError, InputError, OtelKitError

__all__ = ["Api", "Applied", "apply_plan", "plan_against"]


#: So many objects an error names before it counts the rest.
_NAMED = 20


class Api(Protocol):
    """What is needed of Datadog; `otel_kit.datadog.api.Datadog` is it."""

    def read(self, kind: Kind, whole: frozenset[str]) -> list[Live]:
        """Every object of `kind`; with its whole body where our mark on it is in `whole`."""

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
    live = [item for kind in KINDS for item in api.read(kind, wanted_marks(definitions, kind))]
    return make_plan(definitions, live)


def apply_plan(plan: Plan, api: Api, done: Callable[[Applied], None]) -> None:
    """Do all of the plan, or stop at the first fault and say what was applied and what was not.

    Args:
        plan: what to do.
        api: where.
        done: told of each object as soon as it is written.

    Raises:
        InputError: Datadog would refuse a monitor, or has changed since the plan; nothing was written.
        ApiError: a write failed, or somebody stopped it; its sentence names what was applied before and what
            was not.
    """
    _refuse_stale(plan, api)
    _validate(plan.actions, api)
    for position, action in enumerate(plan.actions):
        try:
            live = _write(action, api)
        except (Exception, KeyboardInterrupt) as error:
            raise _stopped(_failure(error, action), plan.actions, position, position + 1, error) from error
        try:
            done(Applied(action=action, live=live))
        except (Exception, KeyboardInterrupt) as error:
            what = f"stopped: {_reason(error)}"
            raise _stopped(what, plan.actions, position + 1, position + 1, error) from error


def _refuse_stale(plan: Plan, api: Api) -> None:
    """Read again what the plan would write: while somebody read it, somebody else may have been at work.

    The second listing also catches a first one that was short; an object that it hid would be made twice.
    """
    fresh = plan_against([action.definition for action in plan.actions], api)
    now = {action.key: action for action in fresh.actions}
    changed = [action.label for action in plan.actions if not action.is_still(now.get(action.key))]
    if changed:
        raise InputError(
            f"changed in Datadog since the plan: {', '.join(changed)}",
            fix="nothing was written; run plan again",
        )


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


def _failure(error: BaseException, action: Action) -> str:
    if isinstance(error, KeyboardInterrupt):
        return f"stopped by Ctrl-C during the {action.verb} of {action.label}, which may be written or not"
    return f"{action.verb} of {action.label} failed: {_reason(error)}"


def _reason(error: BaseException) -> str:
    if isinstance(error, OtelKitError):
        return str(error)
    if isinstance(error, KeyboardInterrupt):
        return "Ctrl-C"
    return " ".join(f"{type(error).__name__}: {error}".split())


def _stopped(
    what: str, actions: Sequence[Action], written: int, tried: int, error: BaseException
) -> ApiError:
    applied, left = actions[:written], actions[tried:]
    return ApiError(
        f"{what}; {_listed('applied before it', applied)}; {_listed('not tried', left)}",
        where=actions[tried - 1].definition.where(),
        fix="mend it and apply again: what is applied stays, the rest follows",
        status=error.status if isinstance(error, ApiError) else None,
    )


def _listed(title: str, actions: Sequence[Action]) -> str:
    names = ", ".join(action.label for action in actions[:_NAMED])
    more = f" and {len(actions) - _NAMED} more" if len(actions) > _NAMED else ""
    return f"{title}: {names or 'nothing'}{more}"

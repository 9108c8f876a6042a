"""Spec files -> `Spec`. Every error names file and line, and an unknown key the nearest known one.

A file may name another with ``extends: common.yaml``; its own keys then stand on top of the other's.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from otel_kit.collector.patterns import is_secret
from otel_kit.collector.spec import Spec, WrongValue
from otel_kit.collector.text import Percent, Seconds, Size
from otel_kit.errors import InputError, nearest
from otel_kit.yaml_tree import Node, load_yaml

__all__ = ["environments", "load_spec"]

T = TypeVar("T")
_TYPE_NAMES = {str: "text", int: "a whole number", bool: "true or false"}


def environments(folder: Path) -> list[str]:
    """The environments that have a spec in `folder`: its YAML files that say ``environment:``."""
    return sorted(path.stem for path in folder.glob("*.yaml") if _names_environment(path))


def _names_environment(path: Path) -> bool:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return "\nenvironment:" in f"\n{text}"


def load_spec(folder: Path, environment: str) -> Spec:
    """Read ``folder/ENVIRONMENT.yaml`` and what it extends.

    Raises:
        InputError: no such file, broken YAML, an unknown key or a value of the wrong kind.
    """
    path = folder / f"{environment}.yaml"
    if not path.is_file():
        raise _no_spec(folder, environment)
    root = _extended(path, ())
    _no_secret(root)
    spec = _object(Spec, root)
    if spec.environment != environment:
        raise InputError(
            f"environment is '{spec.environment}', but the file is named {path.name}",
            where=root.at("environment").where,
        )
    return dataclasses.replace(spec, source=str(path))


def _no_spec(folder: Path, environment: str) -> InputError:
    """What was looked for, where, and what is there instead."""
    known = environments(folder)
    if not folder.is_dir():
        what, fix = "there is no such folder of specs", "name the one that holds them with --spec-dir"
    elif known:
        fix = nearest(environment, known) or "name one of them with --env"
        what = f"this folder has no {environment}.yaml; its environments are {', '.join(known)}"
    else:
        what = f"this folder has no {environment}.yaml, nor any other spec (a YAML file with 'environment:')"
        fix = "name the folder that holds them with --spec-dir"
    return InputError(what, where=str(folder), fix=fix)


def _extended(path: Path, seen: tuple[Path, ...]) -> Node:
    root = load_yaml(path)
    base = root.mapping.get("extends")
    if base is None:
        return root
    root = root.with_value({key: child for key, child in root.mapping.items() if key != "extends"})
    if not isinstance(base.value, str):
        raise InputError("extends needs the name of one file", where=base.where)
    below = path.parent / base.value
    if not below.is_file():
        what = f"extends names a file that is not there: {base.value!r}"
        raise InputError(what, where=base.where, fix=f"it is looked for in {path.parent}")
    if below.resolve() in {known.resolve() for known in (path, *seen)}:
        raise InputError(f"extends goes round in a circle: {base.value}", where=base.where)
    return _merged(_extended(below, (*seen, path)), root)


def _merged(base: Node, over: Node) -> Node:
    """`over` on top of `base`: mappings are merged key by key, anything else is replaced."""
    if not (isinstance(base.value, dict) and isinstance(over.value, dict)):
        return over
    both = {
        key: _merged(base.value[key], child) if key in base.value else child
        for key, child in over.value.items()
    }
    return over.with_value({**base.value, **both})


def _object(kind: type[T], node: Node) -> T:
    """An instance of a spec dataclass from a mapping."""
    if not isinstance(node.value, dict):
        raise InputError("a mapping of 'key: value' is needed here", where=node.where)
    hints = typing.get_type_hints(kind)
    placed = hints.pop("where", None) is not None
    hints.pop("source", None)
    for key, child in node.value.items():
        if key not in hints:
            fix = nearest(key, hints) or f"known here: {', '.join(hints)}"
            raise InputError(f"unknown key '{key}'", where=child.where, fix=fix)
    values = {key: _value(hints[key], child) for key, child in node.value.items()}
    if missing := [name for name in hints if name not in values and _is_required(kind, name)]:
        raise InputError(f"the key '{missing[0]}' is missing", where=node.where)
    if placed:
        values["where"] = node.where
    try:
        return kind(**values)
    except WrongValue as error:
        raise InputError(str(error), where=node.at(error.key).where, fix=error.fix) from error


def _is_required(kind: Any, name: str) -> bool:
    (field,) = (field for field in dataclasses.fields(kind) if field.name == name)
    return field.default is field.default_factory is dataclasses.MISSING


def _value(hint: Any, node: Node) -> Any:
    """A value of the type that a field of a spec asks for."""
    if isinstance(hint, types.UnionType):
        if node.value is None:
            return None
        return _value(next(arm for arm in hint.__args__ if arm is not types.NoneType), node)
    if typing.get_origin(hint) is tuple:
        if not isinstance(node.value, list):
            raise InputError("a list is needed here", where=node.where)
        return tuple(_value(typing.get_args(hint)[0], item) for item in node.value)
    if typing.get_origin(hint) is Mapping:
        if not isinstance(node.value, (dict, type(None))):
            raise InputError("a mapping of 'key: value' is needed here", where=node.where)
        return node.plain() or {}
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return _object(hint, node)
    return _scalar(hint, node)


def _scalar(hint: Any, node: Node) -> Any:
    if hint in (Seconds, Size, Percent):
        try:
            return hint.parse(node.value)
        except ValueError as error:
            raise InputError(str(error), where=node.where) from error
    # A version or a number of processors looks like a number to YAML.
    value = str(node.value) if hint is str and type(node.value) in {int, float} else node.value
    if type(value) is not hint:
        instead = {dict: "a mapping", list: "a list", type(None): "nothing"}.get(type(value), repr(value))
        raise InputError(f"{_TYPE_NAMES[hint]} is needed here, not {instead}", where=node.where)
    return value


def _no_secret(node: Node) -> None:
    """Before anything else is said about a value, which would repeat it."""
    for child in (*node.mapping.values(), *node.items):
        _no_secret(child)
    if not isinstance(node.value, (dict, list)) and is_secret(str(node.value)):
        fix = "write the name of a secret, or ${env:NAME} in a component of your own"
        raise InputError("a secret stands here in clear", where=node.where, fix=fix)

"""What depends on whether a module has been imported.

A function runs once a module is there: now if it is loaded, else right after its import. So the order of
imports and `init()` does not matter, and a service that never imports gRPC does not pay for it. And a module
that somebody imports without need is put off until it is used.
"""

from __future__ import annotations

import contextlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from types import ModuleType
from typing import Final

from otel_kit.sdk.notes import quietly

__all__ = ["put_off", "when_imported"]

Hook = Callable[[ModuleType], None]
#: Seconds between two looks at a module that is being imported.
_OFTEN: Final = 0.01


def when_imported(name: str, hook: Hook) -> None:
    """Call `hook` with the module `name` as soon as it is imported; a fault in the hook stays here."""
    finder = next((f for f in sys.meta_path if isinstance(f, _Finder)), None)
    if finder is None:
        finder = _Finder()
        sys.meta_path.insert(0, finder)
    # Noted first: another thread may begin to import the module at any moment.
    finder.hooks.setdefault(name, []).append(hook)
    module = sys.modules.get(name)
    if module is None:
        return
    if _initializing(module):
        # Its import began before, and the finder is not asked again.
        threading.Thread(
            target=_wait, args=(name, module, finder), name="otel-kit-import", daemon=True
        ).start()
    else:
        finder.run(name, module)


def _initializing(module: ModuleType) -> bool:
    return bool(getattr(getattr(module, "__spec__", None), "_initializing", False))


def _wait(name: str, module: ModuleType, finder: _Finder) -> None:
    while _initializing(module):
        time.sleep(_OFTEN)
    if sys.modules.get(name) is module:  # else it failed, and the finder is asked when it is tried again
        finder.run(name, module)


@contextlib.contextmanager
def put_off(name: str) -> Iterator[None]:
    """Whoever imports the module `name` meanwhile gets one that is loaded once it is used."""
    if name in sys.modules or importlib.util.find_spec(name) is None:
        yield
        return
    later = sys.modules[name] = _Later(name)
    try:
        yield
    finally:
        later.step_aside()


class _Later(ModuleType):
    def __getattr__(self, name: str) -> object:
        self.step_aside()
        return getattr(importlib.import_module(self.__name__), name)

    def step_aside(self) -> None:
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]


class _Finder(importlib.abc.MetaPathFinder):
    """Finds a module as the other finders do, and wraps its loader."""

    def __init__(self) -> None:
        self.hooks: dict[str, list[Hook]] = {}
        self._busy = threading.local()

    def run(self, name: str, module: ModuleType) -> None:
        """Call the hooks of `module`, each only once: to look for a module is not yet to import it."""
        for hook in self.hooks.pop(name, ()):
            quietly(f"hook of {name}", lambda hook=hook: hook(module))  # type: ignore[misc]

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname not in self.hooks or getattr(self._busy, "name", None) == fullname:
            return None
        self._busy.name = fullname
        try:
            spec = _find(fullname, path, target)
        finally:
            self._busy.name = None
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader, lambda module: self.run(fullname, module))
        return spec


def _find(
    fullname: str, path: Sequence[str] | None, target: ModuleType | None
) -> importlib.machinery.ModuleSpec | None:
    for finder in sys.meta_path:
        find = getattr(finder, "find_spec", None)
        spec: importlib.machinery.ModuleSpec | None = find(fullname, path, target) if find else None
        if spec is not None:
            return spec
    return None


class _Loader(importlib.abc.Loader):
    """The real loader, followed by the hooks.

    Args:
        loader: the real one.
        then: calls the hooks.
    """

    def __init__(self, loader: importlib.abc.Loader, then: Hook) -> None:
        self._loader = loader
        self._then = then

    def __getattr__(self, name: str) -> object:
        return getattr(self._loader, name)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        # The module must look as if we had never been here, also to importlib.resources and pickle.
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        module.__loader__ = self._loader
        self._loader.exec_module(module)
        self._then(module)

"""Python runs this before a program that ``otel-kit run`` has started, and in each Python process below it.

The directory is put in PYTHONPATH, so this hides a ``sitecustomize`` of the user, which is run first. It must
be read by any Python: a child may be one of another version that knows nothing of otel-kit.
"""

import importlib.machinery
import importlib.util
import os
import sys


def _users_own() -> None:
    """Run the module that would have been found without us."""
    here = os.path.realpath(os.path.dirname(__file__))  # noqa: PTH120
    path = [entry for entry in sys.path if os.path.realpath(entry or ".") != here]
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", path)
    if spec is None or spec.loader is None:
        return
    module = importlib.util.module_from_spec(spec)
    sys.modules["sitecustomize"] = module
    spec.loader.exec_module(module)


def _begin() -> None:
    if "multiprocessing.resource_tracker" in " ".join(getattr(sys, "orig_argv", [])):
        return  # a helper of the standard library, not of the service
    try:
        import otel_kit
    except ImportError as error:
        # A child may well be another Python; the program itself was started for its telemetry.
        if os.environ.get("OTEL_KIT_RUN_PID") == str(os.getpid()):
            sys.stderr.write(
                f"error: otel-kit run: {sys.executable} cannot import otel_kit ({error}); install it there: "
                f"{sys.executable} -m pip install /path/to/otel-kit\n"
            )
            sys.stderr.flush()
            os._exit(1)  # here SystemExit would be reported as a fatal error of Python
        return
    otel_kit.init()


try:
    _users_own()
finally:
    _begin()

"""The page at /, from files of this package."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

__all__ = ["page_routes"]

_FOLDER: Final = Path(__file__).parent.parent / "page"


def page_routes() -> list[BaseRoute]:
    """The page and its script, styles and icon."""

    def index(_request: object) -> Response:
        return FileResponse(_FOLDER / "index.html")

    return [Route("/", index, methods=["GET"]), Mount("/page", StaticFiles(directory=_FOLDER))]

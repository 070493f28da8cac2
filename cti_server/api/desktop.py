"""Serves the built desktop. A path without a file of its own gets the page, whose script does the routing.

A browser may cache an asset for ever, because the name contains a hash of the content. It must ask for the page
each time. The build lays a compressed form beside each text, and who takes it gets it: a desktop is a megabyte.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from cti_server.api.problems import Problem, not_found, request_id, response

_FOREVER: Final = "public, max-age=31536000, immutable"
_OURS: Final = ("api", "ws", "healthz", "readyz", "metrics")
# Not from the platform's table, which may be empty in a container, or say text/plain for JavaScript.
_TYPES: Final = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".map": "application/json",
    ".wav": "audio/wav",
    ".mp3": "audio/mpeg",
}


_CODINGS: Final = {"br": ".br", "gzip": ".gz"}
"""The codings of the build, the best first, and how their files' names end."""


def accepts(header: str, coding: str) -> bool:
    """Whether an Accept-Encoding names this coding, or all, and does not refuse it."""
    weights: dict[str, str] = {}
    for one in header.split(","):
        name, _, weight = one.replace(" ", "").lower().partition(";q=")
        weights[name] = weight or "1"
    return weights.get(coding, weights.get("*", "0")).strip("0.") != ""


class Desktop:
    """The ASGI application for every request that no route of the API takes.

    It lists `folder` once and serves only the listed files, so no path leads out of the folder.
    """

    def __init__(self, folder: Path | None) -> None:
        self._files: dict[str, Path] = {}
        if folder is not None and (folder / "index.html").is_file():
            self._files = {
                path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()
            }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1000, "reason": ""})
            return
        request = Request(scope)
        try:
            accepted = request.headers.get("accept-encoding", "")
            answer = self._answer(request.method, request.url.path.lstrip("/"), accepted)
        except Problem as problem:
            answer = response(problem, request_id(request))
        await answer(scope, receive, send)

    def _answer(self, method: str, path: str, accepted: str) -> Response:
        first = path.partition("/")[0]
        if first in _OURS:
            raise not_found("resource")
        if method not in ("GET", "HEAD"):
            raise Problem(405, "method_not_allowed", "files are only read", headers={"Allow": "GET, HEAD"})
        file = self._files.get(path)
        if file is not None and path != "index.html" and file.suffix not in _CODINGS.values():
            return self._file(path, accepted, _FOREVER if first == "assets" else "no-cache")
        if first == "assets" or "." in path.rpartition("/")[2].removesuffix("index.html"):
            raise not_found("file")
        if "index.html" not in self._files:
            return PlainTextResponse("The desktop is not built; run: make desktop\n", 404)
        return self._file("index.html", accepted, "no-cache")

    def _file(self, path: str, accepted: str, caching: str) -> Response:
        file = self._files[path]
        headers = {"Cache-Control": caching}
        forms = {coding: f for coding, end in _CODINGS.items() if (f := self._files.get(path + end)) is not None}
        if forms:
            headers["Vary"] = "Accept-Encoding"
        for coding, form in forms.items():
            if accepts(accepted, coding):
                headers["Content-Encoding"] = coding
                return FileResponse(form, media_type=_TYPES.get(file.suffix), headers=headers)
        return FileResponse(file, media_type=_TYPES.get(file.suffix), headers=headers)

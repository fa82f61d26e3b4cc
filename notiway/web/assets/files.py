"""Assets: styles and scripts, at addresses that change with their content, so that a browser asks for each once."""

from __future__ import annotations

import gzip
import mimetypes
from collections.abc import Callable
from functools import cache, cached_property
from pathlib import Path

from flask import Blueprint, Response, current_app, request, send_file
from werkzeug.exceptions import NotFound
from werkzeug.security import safe_join

from notiway.web.assets import bundle

FOREVER = "public, max-age=31536000, immutable"  # a year, RFC 8246
TEXTS = {".js", ".css", ".svg", ".json", ".txt"}
LEAST_BYTES = 1_024  # below that, compressing saves no packet
PREFIX = "/notiway/static"


class Assets:
    """The files of one folder. The version is in its address, so that the files' imports of each other keep working.

    >>> assets.address("notiway/js/bell.js")  # doctest: +SKIP
    '/notiway/static/v-0123456789ab/notiway/bundled/js/bell.js'
    """

    def __init__(self, folder: Path, url: Callable[[str], str]) -> None:
        self._folder = folder
        self._url = url
        self._compressed = cache(self._compress)

    def register(self, blueprint: Blueprint) -> None:
        """Add the route. Its name is that of Flask's own for static files, which the blueprint must not have."""
        for rule in (f"{PREFIX}/v-<version>/<path:filename>", f"{PREFIX}/<path:filename>"):
            blueprint.add_url_rule(rule, "static", self.serve)

    def address(self, path: str) -> str:
        """Where a page finds a file, or the bundle with it. In debug mode files may change, and are asked for anew."""
        if current_app.debug:
            return self._url(f"{PREFIX}/{path}")
        return self._url(f"{PREFIX}/v-{self.version}/{self._bundled.get(path, path)}")

    def serve(self, filename: str, version: str = "") -> Response:
        """The file; for ever where the address names this very content.

        During a rolling update the other version may be asked for here: that answer is not for keeping.
        """
        is_current = version == self.version and not current_app.debug
        path = safe_join(str(self._folder), filename)
        if path is None or not Path(path).is_file():
            raise NotFound
        zipped = self._compressed(path) if is_current and request.accept_encodings.quality("gzip") else None
        if zipped is None:
            response = send_file(path, conditional=True)
        else:
            response = Response(zipped, mimetype=mimetypes.guess_type(path)[0])
            response.content_encoding = "gzip"
        response.headers["Cache-Control"] = FOREVER if is_current else "no-cache"
        response.vary.add("Accept-Encoding")
        return response

    @cached_property
    def version(self) -> str:
        """A digest of all names and contents."""
        return bundle.digest(self._folder, [self._folder])[:12]

    @cached_property
    def _bundled(self) -> dict[str, str]:
        return bundle.bundled(self._folder)

    @staticmethod
    def _compress(path: str) -> bytes | None:
        """Once for each file; None where it is not worth it."""
        file = Path(path)
        if file.suffix not in TEXTS or file.stat().st_size < LEAST_BYTES:
            return None
        return gzip.compress(file.read_bytes(), mtime=0)

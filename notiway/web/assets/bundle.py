"""Bundle: the bell's scripts in one file and its styles in another, made from the sources beside them by `bin/bundle`.

A page that links the sources makes a browser ask for a hundred files. Where the sources have changed since, as in a
checkout that somebody works on, pages link the sources.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable
from pathlib import Path

log = logging.getLogger(__name__)

SOURCES = ("notiway/js", "notiway/css")
FOLDER = "notiway/bundled"
MADE_FROM = f"{FOLDER}/made-from.txt"  # the digest of the sources
# What pages link. Each is in the bundle under the same name; the second script imports from the first.
ENTRIES = ("js/bell.js", "js/staff/form.js", "css/notiway.css", "css/staff/page.css")


def digest(folder: Path, parts: Iterable[Path]) -> str:
    """A digest of the names and contents of all files in these parts of a folder; hexadecimal."""
    found = hashlib.sha256()
    for path in sorted(each for part in parts for each in part.rglob("*") if each.is_file()):
        content = path.read_bytes()
        found.update(f"{path.relative_to(folder).as_posix()} {len(content)}\n".encode())
        found.update(content)
    return found.hexdigest()


def sources(folder: Path) -> str:
    """The digest of what the bundle is made from, in a folder of static files."""
    return digest(folder, (folder / part for part in SOURCES))


def bundled(folder: Path) -> dict[str, str]:
    """For each file that pages link, the one to link instead; nothing where the bundle is missing or out of date."""
    made_from = folder / MADE_FROM
    if not made_from.is_file():
        return {}
    if made_from.read_text().strip() != sources(folder):
        log.warning("pages load a hundred scripts and style sheets: they have changed since `make bundle`")
        return {}
    return {f"notiway/{entry}": f"{FOLDER}/{entry}" for entry in ENTRIES}

"""Folders: where templates, static files and migrations lie."""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent


def resources(name: str, package: Path = PACKAGE) -> Path:
    """The folder of templates, static files or migrations: inside an installed package, beside it in the repository.

    The library and the host, a package of its own, have each their own when they are installed.
    """
    inside = package / name
    return inside if inside.is_dir() else PACKAGE.parent / name

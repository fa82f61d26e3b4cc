"""Secret: where the key that signs sessions comes from. Without one, production does not start."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from notiway.values.config import SHORTEST_SECRET_BYTES
from notiway.values.errors import ConfigError, Fault

FILE_NAME = "secret_key"
BYTES = 32


def development_wanted(environ: Mapping[str, str]) -> bool:
    """Whether this process was started for development.

    `NOTIWAY_ENV` decides where it is set; else Flask's debug mode and every `flask …` command mean development.
    """
    if environ.get("NOTIWAY_ENV"):
        return environ["NOTIWAY_ENV"] == "development"
    debug = environ.get("FLASK_DEBUG", "").lower() not in ("", "0", "false", "no")
    return debug or environ.get("FLASK_RUN_FROM_CLI") == "true"


def find_secret(given: str | bytes | None, folder: Path, *, development: bool) -> str | bytes:
    """The given key; in development else one that is made once and kept in `folder`.

    Raises `ConfigError` in production when none is given, or a weak one.
    """
    if development:
        return given or _kept(folder)
    advice = (
        'set it to a long random text that stays the same: python -c "import secrets; print(secrets.token_hex(32))"'
    )
    if not given:
        raise ConfigError("Notiway does not start in production without SECRET_KEY", [Fault("SECRET_KEY", advice)])
    if len(given if isinstance(given, bytes) else given.encode()) < SHORTEST_SECRET_BYTES:
        short = f"it has fewer than {SHORTEST_SECRET_BYTES} bytes and could be guessed; {advice}"
        raise ConfigError("Notiway does not start in production with a weak SECRET_KEY", [Fault("SECRET_KEY", short)])
    return given


def _kept(folder: Path) -> str:
    path = folder / FILE_NAME
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        draft = folder / f"{FILE_NAME}.{os.getpid()}.{secrets.token_hex(4)}"
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(BYTES))
        try:
            os.link(draft, path)  # whole or not at all, and the first of several processes wins
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()

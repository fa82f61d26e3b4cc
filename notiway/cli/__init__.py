"""Commands: `flask --app app notiway …`. Each says what it did, and exits with 1 when it could not."""

from __future__ import annotations

from typing import Any

import click
import peewee
from flask.cli import AppGroup

from notiway.cli import consuming, copying, keys, live, membership, new_kind, operate, sending
from notiway.store.database import db
from notiway.values.errors import NotiwayError, Unavailable


class Commands(AppGroup):
    """A group whose commands tell a fault in one line instead of a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            with db.own_work():
                return super().invoke(ctx)
        except Unavailable as error:
            raise click.ClickException(f"The database cannot answer: {error.reason}") from error
        except NotiwayError as error:
            raise click.ClickException(str(error)) from error
        except peewee.PeeweeException as error:
            raise click.ClickException(
                f"The database refused: {error}. Is it up to date? Run: flask --app app notiway migrate"
            ) from error


# Made once: click takes the options off a function when it makes a command of it.
OWN = Commands("notiway")
for module in (operate, membership, keys, sending, consuming, live, copying, new_kind):
    module.register(OWN)


def make_commands() -> Commands:
    """The group `notiway` of one application, to which a host may add its own."""
    about = "Notiway: notifications, members, keys, database and background work."
    return Commands(OWN.name, help=about, commands=dict(OWN.commands))

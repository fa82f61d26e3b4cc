"""The send command: one notification from a shell or a script."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from notiway.cli.people import user_id_of
from notiway.ops import relay
from notiway.store import audit
from notiway.values.audience import Audience
from notiway.values.item import PRIORITIES, TYPES
from notiway.verbs import staff


def register(commands: AppGroup) -> None:
    """Add `send`."""
    commands.command("send")(send)


@click.argument("to")
@click.option("--title", required=True, help="1 to 200 characters; about 50 read best.")
@click.option("--message", default="", help="Up to 2,000 characters; about 200 read best.")
@click.option("--type", "type_", type=click.Choice(TYPES), default="info", show_default=True)
@click.option("--priority", type=click.Choice(PRIORITIES), default="medium", show_default=True)
@click.option("--action-url", help="Where a click leads: https:, http: or a path on this site.")
@click.option("--source", help="Which part of your system says so; the history can be filtered by it.")
def send(
    to: str, title: str, message: str, type_: str, priority: str, action_url: str | None, source: str | None
) -> None:
    """Send a notification TO a user id, an e-mail address or an audience (global, tenant:acme, group:admins)."""
    sent, _ = staff.send(
        audit.COMMAND_LINE,
        _recipient(to),
        title,
        message,
        type=type_,
        priority=priority,
        action_url=action_url,
        source=source,
    )
    click.echo(f"{sent.notification_id}\tsent to {to}")
    if not relay.is_heard():
        click.echo(relay.NOBODY_HEARS, err=True)


def _recipient(text: str) -> list[str] | Audience:
    if "@" in text:
        return [user_id_of(text)]
    try:
        return Audience.parse(text)
    except ValueError:
        return [text]

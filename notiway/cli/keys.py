"""Key commands: who may publish, hand out client tokens, and ask who is connected."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from notiway import security_log
from notiway.ops import relay
from notiway.store.credentials import api_keys
from notiway.values.clock import moment
from notiway.verbs.keys import revoke as revoke_key


def register(commands: AppGroup) -> None:
    """Add `key add|list|revoke`."""
    group = AppGroup("key", help="Add, list and revoke the API keys of api_keys.")
    group.command("add")(add)
    group.command("list")(list_keys)
    group.command("revoke")(revoke)
    commands.add_command(group)


@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    metavar="publish|token|presence",
    help="What the key may do; repeatable. publish:group:acme:* limits it to audiences.",
)
@click.option(
    "--producer",
    "producers",
    multiple=True,
    metavar="NAME",
    help="Limits metadata.producer to this label and the name of the key; repeatable. shop-* is a pattern.",
)
def add(name: str, scopes: tuple[str, ...], producers: tuple[str, ...]) -> None:
    """Make an API key for the producer NAME and print it, this once."""
    producer, key = api_keys.add(name, [*scopes, *(f"{api_keys.PRODUCER}{each}" for each in producers)])
    security_log.note("key_added", key=producer.id, scopes=" ".join(scopes))
    click.echo(key)
    click.echo("Keep it now: only its hash is stored, and it is not shown again.", err=True)


def list_keys() -> None:
    """List all keys: id, name, scopes, when made, when last used, and state, separated by tabs."""
    for producer in api_keys.all_keys():
        state = "active" if producer.revoked_at is None else f"revoked {_day(producer.revoked_at)}"
        cells = (producer.id, producer.name, ",".join(producer.scopes), _day(producer.created_at))
        click.echo("\t".join((*cells, f"used {_day(producer.last_used_at)}", state)))


@click.argument("name")
def revoke(name: str) -> None:
    """End the key NAME (or its id) at once, with the client tokens that it asked for."""
    revoke_key(name)
    click.echo(f"revoked {name}")
    if not relay.is_heard():
        click.echo(relay.NOBODY_HEARS, err=True)


def _day(at_ms: int | None) -> str:
    return "never" if at_ms is None else moment(at_ms).strftime("%Y-%m-%d")

"""The consume command: envelopes from a Redis Stream."""

from __future__ import annotations

import signal
import threading

import click
from flask.cli import AppGroup

from notiway.live import runtime
from notiway.ops import relay


def register(commands: AppGroup) -> None:
    """Add `consume`."""
    commands.command("consume")(consume)


@click.argument("url")
@click.option("--stream", default="notiway", show_default=True, help="The stream's key.")
@click.option(
    "--claim-after",
    type=click.FloatRange(min=0.1),
    default=30.0,
    show_default=True,
    metavar="SECONDS",
    help="Claim entries that another consumer has left unacknowledged for this many seconds.",
)
def consume(url: str, stream: str, claim_after: float) -> None:
    """Publish the envelopes of a Redis Stream at URL (redis://…) until SIGTERM or Ctrl-C.

    Each entry has one field, `envelope`, with the JSON that POST /api/notifications takes. Broken ones go to the
    stream STREAM:dead with the reason.
    """
    try:
        from notiway.gateway.stream_consumer import Consumer
    except ImportError as error:
        raise click.ClickException("Install the driver first: pip install 'notiway[redis]'") from error
    if not relay.is_heard():
        click.echo(relay.NOBODY_HEARS, err=True)
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    click.echo(f"Taking envelopes from {stream}; stop with Ctrl-C")
    done = Consumer(runtime.current(), url, stream, claim_after).run(stopped.is_set)
    click.echo(f"Took {done.taken} ({done.duplicates} were duplicates), put {done.dead} aside")

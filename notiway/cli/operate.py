"""Operating commands: database, cleanup, background work, settings and the doctor."""

from __future__ import annotations

from dataclasses import fields

import click
from flask import current_app
from flask.cli import AppGroup

from notiway.live import runtime
from notiway.ops import doctor, jobs
from notiway.ops.logs import redact
from notiway.store import retention, schema
from notiway.store.database import db
from notiway.values.config import SECRETS

DEFAULT_URL = "http://127.0.0.1:5000"


def register(commands: AppGroup) -> None:
    """Add `migrate`, `cleanup`, `worker`, `config` and `doctor`."""
    commands.command("migrate")(migrate)
    commands.command("cleanup")(cleanup)
    commands.command("worker")(worker)
    commands.command("config")(config)
    commands.command("doctor")(diagnose)


@click.option("--down", metavar="NAME", help="Go back: undo this migration and all after it; `last` undoes one.")
@click.option("--yes", is_flag=True, help="With --down: do not ask. What the tables hold is lost.")
def migrate(down: str | None, yes: bool) -> None:
    """Bring the database's tables up to date."""
    sets = runtime.current().migrations
    if down is None:
        done, verb = schema.migrate(db.obj, sets), "applied"
    else:
        to = None if down == "last" else down
        going = schema.what_goes(db.obj, to, sets)
        if going and not yes:
            for name, made in going.items():
                click.echo(f"{name}\t{made}", err=True)
            click.confirm("This drops these tables with all their data. Continue?", abort=True, err=True)
        done, verb = schema.revert(db.obj, to, sets), "reverted"
    for name in done:
        click.echo(f"{verb} {name}")
    if not done:
        click.echo("The database is up to date" if down is None else "There is nothing to revert")


@click.option(
    "--older-than", type=click.FloatRange(min=0), metavar="DAYS", help="Default: NOTIWAY_RETENTION_DAYS, or 90."
)
@click.option("--dry-run", is_flag=True, help="Only print what would be removed.")
def cleanup(older_than: float | None, dry_run: bool) -> None:
    """Remove old notifications, and expired ones at once. The server does the same every day by itself."""
    config = runtime.current().config
    days = config.retention_days if older_than is None else older_than
    done = retention.clean_up(days, dry_run=dry_run, dedupe_days=config.dedupe_days)
    verb = "Would remove" if dry_run else "Removed"
    click.echo(f"{verb} {done.old} notifications older than {days:g} days and {done.expired} expired ones")
    click.echo(f"{verb} {done.items} inbox items with them")


def worker() -> None:
    """Do the background work in this process until SIGTERM or Ctrl-C (set NOTIWAY_JOBS=worker for the web process)."""
    now = runtime.current()
    if now.config.jobs == "off":
        raise click.ClickException("NOTIWAY_JOBS=off forbids background work; set it to worker")
    jobs.run_worker(now.huey, current_app._get_current_object())  # type: ignore[attr-defined]


def config() -> None:
    """Print the settings in force, secrets hidden."""
    settings = runtime.current().config
    click.echo(f"SECRET_KEY={'(set)' if current_app.secret_key else '(not set)'}")
    for spec in fields(settings):
        value = getattr(settings, spec.name)
        text = ",".join(value) if isinstance(value, tuple) else str(value)
        if spec.name in SECRETS:
            text = "(set)" if value else "(not set)"
        click.echo(f"NOTIWAY_{spec.name.upper()}={redact(text)}")


@click.option("--url", default=DEFAULT_URL, show_default=True, help="Where the server runs.")
@click.option("--user", "user_id", help="The user that the test connection signs in as; by default any active user.")
def diagnose(url: str, user_id: str | None) -> None:
    """Check database, broker, workers, secret and a real WebSocket, and say how to fix each fault."""
    faults = 0
    for finding in doctor.examine(current_app._get_current_object(), url, user_id):  # type: ignore[attr-defined]
        faults += not finding.ok
        click.echo(redact(f"{'ok   ' if finding.ok else 'FAULT'}  {finding.name:<10}  {finding.text}"))
        if not finding.ok:
            click.echo(redact(f"       {'':<10}  To fix it: {finding.remedy}"))
    if faults:
        raise click.exceptions.Exit(1)

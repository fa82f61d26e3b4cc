"""Copying commands: a backup while the server runs, and the way from SQLite to PostgreSQL."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from flask.cli import AppGroup

from notiway.live import runtime
from notiway.ops.alone import is_served
from notiway.store.copies import backup, moving
from notiway.store.database import db, open_database


def register(commands: AppGroup) -> None:
    """Add `backup` and `move-store`."""
    commands.command("backup")(back_up)
    commands.command("move-store")(move_store)


@click.argument("path", type=click.Path(dir_okay=False, path_type=Path))
def back_up(path: Path) -> None:
    """Write the SQLite database to a new file at PATH, while the server runs."""
    try:
        size = backup.back_up(db.obj, path)
    except OSError as error:
        raise click.ClickException(f"{path} cannot be written: {error.strerror}") from error
    click.echo(f"Wrote {size:,} bytes to {path}")


@click.argument("url")
@click.option("--without", metavar="TABLE", multiple=True, help="Leave a table of the application out (repeatable).")
def move_store(url: str, without: tuple[str, ...]) -> None:
    """Copy the SQLite database to the empty PostgreSQL database at URL. Stop the server first.

    Better without a password in the URL: PostgreSQL's library reads PGPASSWORD and ~/.pgpass.
    """
    source = Path(str(db.obj.database))
    if not source.is_file():
        raise click.ClickException("NOTIWAY_DATABASE_URL names no SQLite file, from which rows could be moved")
    if is_served(source):
        raise click.ClickException(f"A server runs on {source}: stop it first. What it stored meanwhile would be lost")
    db.close()
    target: Any = open_database(url, pool=1)
    try:
        copied = moving.move(source, target, runtime.current().migrations, without=without)
    finally:
        target.close_all()
    for table, rows in copied.items():
        click.echo(f"{rows:>12,}  {table}")
    click.echo("All rows were copied. Set NOTIWAY_DATABASE_URL to the new database, and start the server")

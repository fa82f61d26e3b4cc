"""The host's own commands: its users, and the demo."""

from __future__ import annotations

import click
import peewee
from flask.cli import AppGroup

from notiway.host import accounts
from notiway.host.passwords import hash_password
from notiway.ops import jobs
from notiway.store import membership
from notiway.values.audience import Audience
from notiway.values.errors import NotFound
from notiway.verbs.sign_out import sign_out

DEMO_TENANT = Audience.tenant("acme")
DEMO_USERS = (
    (accounts.DEMO_EMAIL, "Demo", False, (DEMO_TENANT,)),
    (accounts.STAFF_EMAIL, "Staff", True, (DEMO_TENANT, Audience.group("admins"))),
)


@click.argument("email")
@click.option("--name", default="", help="The name to show; the e-mail address if left out.")
@click.option("--staff", is_flag=True, help="May send to others.")
@click.password_option(help="Asked for when left out, which keeps it out of the shell's history.")
def add(email: str, name: str, staff: bool, password: str) -> None:
    """Add a user who signs in with EMAIL."""
    email = accounts.normal_email(email)
    if "@" not in email.strip("@"):
        raise click.BadParameter(f"{email!r} is no e-mail address", param_hint="EMAIL")
    try:
        account = accounts.add(email, name, hash_password(password), is_staff=staff)
    except peewee.IntegrityError as error:
        raise click.ClickException(f"There is a user with the address {email} already") from error
    click.echo(f"{account.id}\tadded {account.email}")


def list_users() -> None:
    """List all users: id, e-mail, name, role and state, separated by tabs."""
    for account in accounts.everybody():
        role = "staff" if account.is_staff else "user"
        state = "active" if account.is_active else "deactivated"
        click.echo("\t".join((account.id, account.email, account.name, role, state)))


@click.argument("user")
def deactivate(user: str) -> None:
    """Lock USER (id or e-mail) out, and close what they have open."""
    found = find(user)
    heard = jobs.relay_events()
    accounts.deactivate(found.id)
    sign_out(found.id)
    click.echo(f"{found.id}\tdeactivated {found.email}")
    if not heard:
        click.echo(jobs.NOBODY_HEARS, err=True)


@click.option("--if-empty", is_flag=True, help="Do nothing, without an error, when there are users already.")
def demo(if_empty: bool) -> None:
    """Make the demo users, on an empty database only."""
    if next(accounts.everybody(), None) is not None:
        if if_empty:
            return
        raise click.ClickException("There are users already; demo users are made on an empty database only")
    for email, name, is_staff, audiences in DEMO_USERS:
        account = accounts.add(email, name, hash_password(accounts.DEMO_PASSWORD), is_staff=is_staff)
        for audience in audiences:
            membership.join(account.id, audience)
        click.echo(f"{account.id}\tadded {email}, password {accounts.DEMO_PASSWORD}")


def find(id_or_email: str) -> accounts.Account:
    """The user of that id or e-mail address, deactivated or not; raises `NotFound`."""
    email = accounts.normal_email(id_or_email)
    for account in accounts.everybody():
        if account.id == id_or_email or account.email == email:
            return account
    raise NotFound(f"There is no user {id_or_email!r}; see: flask --app app notiway user list")


# Made once: click takes the options off a function when it makes a command of it.
USER = AppGroup("user", help="Add, list and deactivate users.")
USER.command("add")(add)
USER.command("list")(list_users)
USER.command("deactivate")(deactivate)
DEMO = AppGroup().command("demo")(demo)

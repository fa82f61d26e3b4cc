"""The host's own commands: its users, and the demo."""

from __future__ import annotations

import click
import peewee
from flask.cli import AppGroup

from notiway import security_log
from notiway.host import accounts, password_rules, sessions
from notiway.host.passwords import hash_password
from notiway.live.runtime import current
from notiway.ops import relay
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
        raise click.BadParameter(f"{email!r} is not an e-mail address", param_hint="EMAIL")
    _check_password(password, email, name)
    try:
        account = accounts.add(email, name, hash_password(password), is_staff=staff)
    except peewee.IntegrityError as error:
        raise click.ClickException(f"There is a user with the address {email} already") from error
    security_log.note("user_added", user=account.id)
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
    accounts.deactivate(found.id)
    sign_out(found.id)
    security_log.note("user_deactivated", user=found.id)
    click.echo(f"{found.id}\tdeactivated {found.email}")
    if not relay.is_heard():
        click.echo(relay.NOBODY_HEARS, err=True)


@click.argument("user")
def activate(user: str) -> None:
    """Let USER (id or e-mail) in again after `deactivate`."""
    found = find(user)
    accounts.activate(found.id)
    security_log.note("user_activated", user=found.id)
    click.echo(f"{found.id}\tactivated {found.email}")


@click.argument("user")
@click.option("--remove", is_flag=True, help="Revoke the staff role.")
def staff(user: str, remove: bool) -> None:
    """Let USER (id or e-mail) send to others."""
    found = find(user)
    accounts.set_staff(found.id, not remove)
    security_log.note("staff_changed", user=found.id, staff="no" if remove else "yes")
    click.echo(f"{found.id}\t{found.email} is {'not staff' if remove else 'staff'}")


@click.argument("user")
@click.password_option(help="Asked for when left out, which keeps it out of the shell's history.")
def password(user: str, password: str) -> None:
    """Give USER (id or e-mail) a new password, and end every session of theirs."""
    found = find(user)
    _check_password(password, found.email, found.name)
    accounts.keep_hash(found.id, hash_password(password))
    sessions.end_all(found.id)
    sign_out(found.id)
    security_log.note("password_set", user=found.id)
    click.echo(f"{found.id}\tchanged the password of {found.email}")
    if not relay.is_heard():
        click.echo(relay.NOBODY_HEARS, err=True)


def _check_password(password: str, *about: str) -> None:
    if fault := password_rules.fault(password, about):
        raise click.ClickException(fault)


@click.option("--if-empty", is_flag=True, help="Do nothing, without an error, when there are users already.")
def demo(if_empty: bool) -> None:
    """Make the demo users, on an empty database only, and never in production: everybody knows their password."""
    if not current().config.development:
        raise click.ClickException(
            "This is production, where demo users would let anybody in. Add one: flask --app app notiway user add"
        )
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
    if (account := accounts.find_named(id_or_email)) is not None:
        return account
    raise NotFound(f"There is no user {id_or_email!r}; see: flask --app app notiway user list")


# Made once: click takes the options off a function when it makes a command of it.
USER = AppGroup(
    "user", help="Add, list, deactivate and activate users, and change what they may do and their passwords."
)
USER.command("add")(add)
USER.command("list")(list_users)
USER.command("deactivate")(deactivate)
USER.command("activate")(activate)
USER.command("staff")(staff)
USER.command("password")(password)
DEMO = AppGroup().command("demo")(demo)

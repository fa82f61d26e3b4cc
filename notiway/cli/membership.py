"""Member commands: who belongs to which tenants and groups."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from notiway.cli.people import user_id_of
from notiway.live import runtime
from notiway.store.membership import listens_to, members_of
from notiway.values.audience import Audience
from notiway.values.errors import NotFound
from notiway.verbs import membership


def register(commands: AppGroup) -> None:
    """Add `member add|remove|list`."""
    group = AppGroup("member", help="Put users into tenants and groups, take them out, and list them.")
    group.command("add")(add)
    group.command("remove")(remove)
    group.command("list")(list_members)
    commands.add_command(group)


@click.argument("user")
@click.argument("audience")
def add(user: str, audience: str) -> None:
    """Make USER (id or e-mail) a member of AUDIENCE: tenant:acme, group:admins or group:acme:admins."""
    user_id, wanted = user_id_of(user), _audience(audience)
    if runtime.current().unknown_users([user_id]):
        raise NotFound(f"There is no user {user_id!r}")
    membership.join(user_id, wanted)
    click.echo(f"{user_id}\tis a member of {wanted.key}")


@click.argument("user")
@click.argument("audience")
def remove(user: str, audience: str) -> None:
    """End the membership of USER in AUDIENCE; what is in the inbox already stays."""
    user_id, wanted = user_id_of(user), _audience(audience)
    membership.leave(user_id, wanted)
    click.echo(f"{user_id}\tis not a member of {wanted.key}")


@click.argument("user_or_audience")
def list_members(user_or_audience: str) -> None:
    """List the audiences of a user, or the members of a tenant or group, one on each line."""
    if user_or_audience.startswith(("tenant:", "group:")):
        lines = members_of(_audience(user_or_audience).key)
    else:
        lines = listens_to(user_id_of(user_or_audience))[2:]
    for line in lines:
        click.echo(line)


def _audience(key: str) -> Audience:
    try:
        audience = Audience.parse(key)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="AUDIENCE") from None
    if not audience.is_broadcast or audience.key == "global":
        raise click.BadParameter("only tenants and groups have members", param_hint="AUDIENCE")
    return audience

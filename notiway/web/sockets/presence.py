"""Presence over HTTP: which users, or who of an audience, are connected now, for those who may know (CONTRACT §3)."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from notiway.store import membership
from notiway.store.credentials import api_keys
from notiway.values.audience import Audience, AudienceType
from notiway.values.errors import Fault, Forbidden, WrongInput
from notiway.verbs import reach
from notiway.web import auth, publishing

PATH = "/api/presence"
SCOPE = "presence"
MOST = 1_000  # users that one answer names, or one question
NOT_ASKED = "give either `user`, as often as you like, or one `audience`"


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: about these users, or about an audience."""

    users: tuple[str, ...] = ()
    audience: Audience | None = None

    @property
    def keys(self) -> list[str]:
        """The audiences that somebody must be allowed to look at."""
        return [f"user:{each}" for each in self.users] if self.audience is None else [self.audience.key]


def register(blueprint: Blueprint) -> None:
    """Add the route to a blueprint that asks for no login and no CSRF token."""
    blueprint.add_url_rule(PATH, "presence", presence, methods=["GET"])


def presence() -> ResponseReturnValue:
    """Who is connected. `online` names 1,000 users at most, in the order of their ids; `count` counts all."""
    asked = _question()
    _check_allowed(asked)
    found = reach.online_in(asked.audience) if asked.audience is not None else reach.online_among(asked.users)
    return jsonify(
        audience=None if asked.audience is None else asked.audience.key,
        online=sorted(found)[:MOST],
        count=len(found),
    )


def _question() -> Question:
    users = tuple(dict.fromkeys(request.args.getlist("user")))
    keys = request.args.getlist("audience")
    if bool(users) == bool(keys) or len(keys) > 1:
        raise WrongInput("The query is not valid", [Fault("user", NOT_ASKED)])
    if len(users) > MOST:
        raise WrongInput("The query is not valid", [Fault("user", f"at most {MOST:,} at once")])
    if users:
        return Question(users)
    try:
        audience = Audience.parse(keys[0])
    except ValueError as error:
        raise WrongInput("The query is not valid", [Fault("audience", str(error))]) from None
    if audience.type not in (AudienceType.TENANT, AudienceType.GROUP):
        raise WrongInput("The query is not valid", [Fault("audience", "must be a tenant or a group")])
    return Question(audience=audience)


def _check_allowed(asked: Question) -> None:
    """Staff see everybody, a key what its scope names, others themselves and the audiences that they listen to."""
    if (auth.bearer() or "").startswith(api_keys.PREFIX):
        producer = publishing.producer_of_request(SCOPE)
        refused = [key for key in asked.keys if not publishing.may(producer, SCOPE, key)]
        who = "this key"
    else:
        principal = auth.require_principal()
        may_see = {f"user:{principal.user_id}", *principal.grants}
        if principal.tenant_id is not None:
            may_see.add(f"tenant:{principal.tenant_id}")
        if asked.audience is not None:
            may_see |= set(membership.listens_to(principal.user_id))
        sees_all = auth.given_token() is None and auth.is_staff()
        refused = [key for key in asked.keys if not (sees_all or key in may_see)]
        who = "you"
    if refused:
        faults = [Fault("audience" if asked.audience else "user", f"{who} may not see {key}") for key in refused]
        raise Forbidden("Who is connected is not for everybody to know", faults)

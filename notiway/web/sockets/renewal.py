"""Renewal: an open connection goes on with a newer client token."""

from __future__ import annotations

from notiway.gateway import admission
from notiway.gateway.client_tokens import Claims
from notiway.live.connection import Connection
from notiway.live.runtime import Runtime
from notiway.store.membership import may_subscribe
from notiway.values.audience import Audience, AudienceType
from notiway.values.errors import Forbidden
from notiway.web import auth


def renew(now: Runtime, connection: Connection, token: str) -> None:
    """Let a connection live as long as a newer token of the same user; `Forbidden` for somebody else's."""
    claims = admission.admit(now, token)
    if claims.user_id != connection.user_id:
        raise Forbidden("The token is another user's")
    connection.grants = claims.audiences
    connection.session = auth.of_claims(claims).session
    now.hub.end_at(connection, claims.expires_at)
    for audience in map(Audience.parse, now.hub.audiences_of(connection)):
        if audience.type in (AudienceType.TENANT, AudienceType.GROUP) and not _still_may(now, claims, audience):
            now.hub.unsubscribe(connection, audience.key)


def _still_may(now: Runtime, claims: Claims, audience: Audience) -> bool:
    if audience.key in claims.audiences or audience.key == f"tenant:{claims.tenant_id}":
        return True
    return may_subscribe(claims.user_id, audience, now.config.open_groups)

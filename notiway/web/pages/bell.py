"""The bell: what `{{ notiway.bell() }}` draws, with a count where the database answers, else without."""

from __future__ import annotations

from hashlib import blake2s
from typing import Any

from flask import g, render_template
from flask_wtf.csrf import generate_csrf
from markupsafe import Markup

from notiway.live.runtime import current
from notiway.store import inbox
from notiway.store.attention import settings as stored
from notiway.values.attention.attention import Attention
from notiway.values.attention.telling import told
from notiway.values.clock import now_ms
from notiway.values.ids import id_floor
from notiway.web import auth, ornaments
from notiway.web.pages import news
from notiway.web.sockets import sse, ticket

READER_BYTES = 6  # what a browser keeps for one user must not be taken for another's


def draw(user_id: str, announcements: Markup) -> Markup:
    """The bell of this user. `announcements` are the banners, where the layout has not placed them."""

    def counted() -> Markup:
        # What is still to be pulled may need the write lock; what is in the inbox can be shown without it.
        ornaments.drawn("the newest broadcasts", lambda: inbox.catch_up(user_id), lambda: 0)
        # Before what is counted: what changes in between is then looked at again, instead of missed.
        changes = inbox.changes(user_id)
        return _draw(inbox.unread_count(user_id), inbox.newest_id(user_id), announcements, changes, settings())

    def settings() -> dict[str, Any]:
        return told(*stored.read(user_id), current().kinds, now_ms())

    # With an id of now its socket rings for what is new from here on, not for all that there ever was.
    return ornaments.drawn("the bell", counted, lambda: _draw(0, id_floor(now_ms()), announcements))


def _draw(
    unread: int,
    newest: str,
    announcements: Markup,
    changes: int = 0,
    settings: dict[str, Any] | None = None,
) -> Markup:
    config = current().config
    assets, g.notiway_assets = not g.get("notiway_assets", False), True
    return Markup(  # noqa: S704 - a rendered template, escaped there
        render_template(
            "notiway/bell/_bell.html",
            unread=unread,
            newest_id=newest,
            csrf_token=generate_csrf(),
            socket_url=current().live_url(f"/ws/notifications?format=html&since={newest}&changes={changes}"),
            stream_url=current().live_url(f"{sse.PATH}?format=html&changes={changes}"),
            news_url=current().url(f"{news.PATH}?changes={changes}"),
            ticket_url=current().url(ticket.PATH) if config.live_url else "",
            heartbeat=config.heartbeat_seconds,
            toast_seconds=config.toast_seconds,
            settings=settings or told(Attention(), 0, current().kinds, now_ms()),
            reader=blake2s((auth.current_user_id() or "").encode(), digest_size=READER_BYTES).hexdigest(),
            assets=assets,
            announcements=announcements,
        )
    )

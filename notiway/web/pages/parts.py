"""Parts: what a layout calls, as `{{ notiway.bell() }}` and the like, to put something of Notiway on a page."""

from __future__ import annotations

from flask import g, render_template
from markupsafe import Markup

from notiway.web import auth, ornaments
from notiway.web.pages import banners, bell, standing_inbox, tasks


class Parts:
    """Each draws nothing for anyone who is not signed in, and breaks no page: a fault costs its part, and is logged."""

    def bell(self) -> Markup:
        """The bell, with all it needs. While the database is away it is drawn without a count."""
        user_id = _reader()
        if user_id is None:
            return Markup()
        ornaments.drawn("the name of the session", auth.session_key, str)
        return bell.draw(user_id, self.announcements(floating=True))

    def inbox(self) -> Markup:
        """The newest notifications as a part of the page, always open; the page needs the bell, too, to be live.

        >>> Notiway(app).inbox()  # doctest: +SKIP
        Markup('<section class="notiway notiway-inbox" …')
        """
        user_id = _reader()
        if user_id is None:
            return Markup()
        return ornaments.drawn("the inbox", lambda: standing_inbox.draw(user_id), standing_inbox.draw_empty)

    def announcements(self, *, floating: bool = False) -> Markup:
        """The banners, for a layout that gives them a place before its bell; else the bell lets them float."""
        user_id = _reader()
        if user_id is None or g.get("notiway_announcements", False):
            return Markup()
        g.notiway_announcements = True
        return ornaments.drawn(
            "announcements",
            lambda: banners.draw(user_id, floating=floating),
            lambda: banners.draw_items([], floating=floating),
        )

    def tasks(self, name: str) -> Markup:
        """The bars of the user's latest tasks whose events have this name; their live reports join them here."""
        user_id = _reader()
        if user_id is None:
            return Markup()
        return ornaments.drawn("tasks", lambda: tasks.draw(user_id, name), lambda: tasks.container(name))

    def head(self) -> Markup:
        """Style sheets and scripts, for a layout that wants them in its head; `bell()` then leaves them out."""
        if g.get("notiway_assets", False):
            return Markup()
        g.notiway_assets = True
        # What it draws is a rendered template.
        return ornaments.drawn("the head", lambda: Markup(render_template("notiway/_assets.html")), Markup)  # noqa: S704


def _reader() -> str | None:
    """Who is signed in; None also while the application's own loader cannot ask a database that Notiway shares."""
    return ornaments.drawn("the user", auth.current_user_id, lambda: None, always=True)

"""html: an Event as the HTML frame that htmx swaps into every page of its audience."""

from __future__ import annotations

import logging
import re
from typing import Any

from jinja2 import Environment
from markupsafe import Markup

from notiway.live.wires import own
from notiway.values.event import Event
from notiway.values.item import Item

log = logging.getLogger(__name__)

TO_INCOMING = '<hx-partial hx-target="#notiway-incoming" hx-swap="beforeend">'
# Between tags only: text has its angle brackets escaped, so the words of a notification stay as they are.
BETWEEN_TAGS = re.compile(r">\s+<")
COUNTS_ONLY = frozenset({"sync", "joined", "left"})
REPORT_FIELDS = frozenset({"taskId", "status", "progress"})  # a body that has them all is a report of progress
ID_CHANGES = frozenset({"read", "unread", "deleted", "recalled"})


class HtmlWire:
    """Renders Events with the same templates that draw the page.

    A new notification named `order-shipped` is drawn by `events/order-shipped.html`, or by
    `notiway/banners/order-shipped.html`, where there is one: by its elements that name a place on the page
    (`data-notiway-into`). Else a report of progress becomes a bar, as drawn by `events/task-progress.html`, and
    anything else a row of the list and a toast.

    One frame serves every socket of an audience, so it carries no token and nothing about one viewer.
    The environment must autoescape `.html` and know the globals `notiway_url(path)`, `notiway_each`
    (`parts.draw_each`) and `notiway_toast` (`parts.draw_toast`). A template that fails in `render` raises; what has no
    event to name is logged here.

    >>> wire.render(Event("sync", "user:42", {"unread": 3}))  # doctest: +SKIP
    '<hx-partial hx-target="#notiway-badge" hx-swap="outerHTML">…</hx-partial>'
    """

    name = "html"
    counts = True

    def __init__(self, env: Environment) -> None:
        self._env = env
        self.redraws = bool(env.auto_reload)  # in development, where templates are being written
        self._failing: set[str] = set()  # frames that were logged as failing: a heartbeat would log without end

    def render(self, event: Event) -> str | None:
        """The frame for one Event; None for what a page has nothing to show of (`kick`)."""
        data, kind = event.data, event.kind
        unread = data.get("unread")
        if kind == "created":
            return self._created(Item.from_dict(data["notification"]), unread)
        if kind == "restored":
            items = [Item.from_dict(values) for values in data["notifications"]]
            return self._frame(kind, items=items, unread=unread, woken=data.get("woken"))
        if kind == "answered":
            return self._frame(kind, items=[Item.from_dict(data["notification"])])
        if kind in ID_CHANGES:
            place = "archived" if data.get("archived") else "snoozed" if data.get("snoozed_until") else None
            return self._frame("change", kind=kind, ids=data["ids"], before=None, unread=unread, place=place)
        if kind == "read_all":
            return self._frame("change", kind=kind, ids=[], before=data.get("before"), unread=unread)
        if kind == "settings":
            return self._frame(kind, settings=data)
        if kind in COUNTS_ONLY and unread is not None:
            return self._frame("badge", unread=unread)
        return None

    def connected(self, connection_id: str, unread: int, changed: bool = False) -> str | None:
        """The first frame of a connection: its id and the count of unread, 0 to 100.

        `changed` says that items were read or deleted since the page was drawn, so that it looks at its lists again.
        """
        return self._frame_or_nothing("connected", connection_id=connection_id, unread=unread, changed=changed)

    def heartbeat(self, unread: int) -> str | None:
        """The frame that proves the line is alive and corrects a badge that has drifted."""
        return self._frame_or_nothing("badge", unread=unread)

    def error(self, code: str, message: str) -> str | None:
        """A refusal that the page shows as a toast."""
        return self._frame_or_nothing("error", code=code, message=message)

    def incomplete(self, audience: str, missing: int) -> None:
        """Nothing: pages fetch their lists."""

    def _created(self, item: Item, unread: int | None) -> str:
        drawn = self._own(item)
        if drawn is None:
            return self._frame("created", items=[item], unread=unread)
        if not item.persisted:
            return f"{TO_INCOMING}{drawn}</hx-partial>" if drawn else ""
        # What is stored is in the list and in the count, however else it is shown. Its own elements come in the same
        # part and before its row: if the page has no place for them, the row makes a toast.
        frame = self._frame("created", items=[item], unread=unread, quiet=True)
        return frame.replace(TO_INCOMING, f"{TO_INCOMING}{drawn}", 1)

    def _own(self, item: Item) -> Markup | None:
        """What the event's own template, or its banner, makes of it; None where it has none, or a broken one."""
        names = [("events", item.name), (own.BANNERS, item.name)]
        if not item.persisted and (item.body or {}).keys() >= REPORT_FIELDS:
            names.append(("events", "task-progress"))  # as the page draws it that is loaded now
        for folder, name in names:
            text = own.drawn_by_own(
                self._env, folder, name, lambda template: template.render(item=item, body=item.body or {}).strip()
            )
            if text is not None:
                return Markup(text)  # noqa: S704 - a rendered template
        return None

    def _frame_or_nothing(self, template: str, **context: Any) -> str | None:
        try:
            text = self._frame(template, **context)
        except Exception:
            if template not in self._failing:
                self._failing.add(template)
                log.exception(
                    "templates/notiway/frames/%s.html failed; pages go without it: fix the template", template
                )
            return None
        self._failing.discard(template)
        return text

    def _frame(self, template: str, **context: Any) -> str:
        text = self._env.get_template(f"notiway/frames/{template}.html").render(context)
        return BETWEEN_TAGS.sub("><", text).strip()

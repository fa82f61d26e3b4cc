"""Parts: a template drawn for each of several values. One that fails is left out, and all around it stands."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from notiway.live.wires import own
from notiway.values.item import Item

log = logging.getLogger(__name__)

TOAST = "notiway/toast/_toast.html"


@pass_context
def draw_each(context: Context, template: str, values: Iterable[Any], name: str = "item") -> Markup:
    """Templates call it `notiway_each`: what `template` makes of each value, known there as `name`.

    `{{ notiway_each("notiway/item/_item.html", items) }}` is a loop with an `{% include %}`, except that a value whose
    template fails is logged and left out, and that a notification is drawn by the template of its own name where the
    application has one (`notiway/items/order-shipped.html`).
    """
    around, env = context.get_all(), context.environment
    drawn = []
    for value in values:
        try:
            known = {**around, name: value}
            is_named = template in own.FOLDERS and isinstance(value, Item)
            text = own.draw(env, template, value.name, known) if is_named else env.get_template(template).render(known)
        except Exception:
            log.exception(
                "templates/%s failed for %s, which is left out; fix the template", template, getattr(value, "id", "one")
            )
        else:
            drawn.append(Markup(text))  # noqa: S704 - a rendered template, escaped there
    return Markup().join(drawn)


@pass_context
def draw_toast(context: Context, item: Item) -> Markup:
    """Templates call it `notiway_toast`: the toast of a notification, for scripts to show.

    Empty where scripts make one from the words of the row, as for most: there is a template of its own only for a name
    that has one, and ours has more than words only for pictures and actions.
    """
    env, folder = context.environment, own.FOLDERS[TOAST]
    if item.details is None and not own.has(env, folder, item.name):
        return Markup()
    values = {**context.get_all(), "toast": item}
    try:
        text = own.drawn_by_own(env, folder, item.name, lambda template: template.render(values))
        if text is None and (item.image or item.avatar or item.icon or item.actions):
            text = env.get_template(TOAST).render(values)
    except Exception:
        log.exception("templates/%s failed for %s, whose toast is made from its row; fix the template", TOAST, item.id)
        return Markup()
    return Markup(text or "")  # noqa: S704 - a rendered template, escaped there

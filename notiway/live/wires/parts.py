"""Parts: a template drawn for each of several values. One that fails is left out, and all around it stands."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup

log = logging.getLogger(__name__)


@pass_context
def draw_each(context: Context, template: str, values: Iterable[Any], name: str = "item") -> Markup:
    """Templates call it `notiway_each`: what `template` makes of each value, known there as `name`.

    `{{ notiway_each("notiway/item/_item.html", items) }}` is a loop with an `{% include %}`, except that a value whose
    template fails is logged and left out.
    """
    around = context.get_all()
    drawn = []
    for value in values:
        try:
            text = context.environment.get_template(template).render({**around, name: value})
        except Exception:
            log.exception(
                "templates/%s failed for %s, which is left out; fix the template", template, getattr(value, "id", "one")
            )
        else:
            drawn.append(Markup(text))  # noqa: S704 - a rendered template, escaped there
    return Markup().join(drawn)

"""Actor: who caused a notification."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Actor:
    """Who caused a notification, with a picture and a page where there are any.

    >>> Actor("Ada Lovelace", image="/avatars/ada.png", url="/people/ada").name
    'Ada Lovelace'

    `image` and `url` are https: or http: addresses, or paths on this site.
    """

    name: str
    image: str | None = None
    url: str | None = None

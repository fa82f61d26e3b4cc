"""Users as operators name them: by id, or by the e-mail address that the application knows them by."""

from __future__ import annotations

from notiway.live.runtime import current
from notiway.values.errors import NotFound

LOOKED_AT = 20  # users whose names hold the text: one of them must be exactly it


def user_id_of(text: str) -> str:
    """The id of the user of that address; any other text is an id itself. `NotFound` if there is none."""
    people = current().people
    if "@" not in text or people is None:
        return text
    wanted = text.strip().casefold()
    for person in people.search(text.strip(), LOOKED_AT):
        if wanted in (person.detail.casefold(), person.name.casefold()):
            return person.id
    raise NotFound(f"There is no user {text!r}")

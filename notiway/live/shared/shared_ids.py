"""SharedIds: the ids of unstored notifications that any process took lately, in the broker's Redis."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from notiway.live.limits.seen_ids import REMEMBER_SECONDS, Key, SeenIds
from notiway.live.shared.asking import Asking

PREFIX = "notiway:said:"


class SharedIds:
    """As `SeenIds`, over all processes; while Redis is away each remembers what it took itself.

    >>> ids = SharedIds(Asking(open_client("redis://")))  # doctest: +SKIP
    >>> ids.add(("billing", "1"), "what it said")  # doctest: +SKIP
    True
    """

    def __init__(self, asking: Asking) -> None:
        self._asking = asking
        self._here = SeenIds()

    def add(self, key: Key, said: str = "") -> bool:
        """Whether the id is new; it is not for the next ten minutes."""
        return not self.add_all({key: said})

    def add_all(self, said: Mapping[Key, str]) -> dict[Key, str]:
        """Take all of these that are new. What was said under the others, which are taken."""
        if not said:
            return {}
        taken = self._here.add_all(said)  # kept here too, for the time that Redis is away
        mine = {key: text for key, text in said.items() if key not in taken}

        def ask(client: Any) -> dict[Key, str]:
            with client.pipeline(transaction=False) as pipeline:
                for key, text in mine.items():
                    pipeline.set(_name(key), text, nx=True, ex=int(REMEMBER_SECONDS))
                    pipeline.get(_name(key))  # SET tells this itself since Redis 7
                answers = pipeline.execute()
            was_set, known = answers[::2], answers[1::2]
            return {
                key: text.decode()
                for key, is_new, text in zip(mine, was_set, known, strict=True)
                if not is_new and text is not None
            }

        elsewhere: dict[Key, str] = self._asking.ask(ask, dict) if mine else {}
        self._here.forget(elsewhere)
        return taken | elsewhere

    def get(self, key: Key) -> str | None:
        """What was said under an id that is taken; None for one that is not."""
        return self.among([key]).get(key)

    def among(self, keys: Iterable[Key]) -> dict[Key, str]:
        """The same for those of many that are taken."""
        wanted = list(dict.fromkeys(keys))
        known = self._here.among(wanted)
        others = [key for key in wanted if key not in known]
        if not others:
            return known

        def ask(client: Any) -> dict[Key, str]:
            found = client.mget([_name(key) for key in others])
            return {key: old.decode() for key, old in zip(others, found, strict=True) if old is not None}

        return known | self._asking.ask(ask, dict)

    def forget(self, keys: Iterable[Key]) -> None:
        """These were not sent after all."""
        gone = list(keys)
        self._here.forget(gone)
        if gone:
            self._asking.ask(lambda client: client.delete(*map(_name, gone)), lambda: 0)


def _name(key: Key) -> str:
    publisher, id_ = key
    return f"{PREFIX}{len(publisher)}:{publisher}:{id_}"

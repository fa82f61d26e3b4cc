"""Pager: a client that reads a whole inbox in small pages, again and again, while others write."""

from __future__ import annotations

import threading

import requests
from serving import Site

from chaos.ledger import Ledger
from chaos.load import AWAY_SECONDS

PAGE = 7
TIMEOUT_SECONDS = 15.0
WIRE = "pages"


class Pager:
    """Follows `nextCursor` from the beginning to the end; a page that was not answered is asked for again.

    `repeated` counts what one reading brought twice, `skipped` what was acknowledged over HTTP before a reading began
    and was not in it.
    """

    def __init__(self, site: Site, ledger: Ledger, token: str) -> None:
        self.site, self.ledger, self.token = site, ledger, token
        self.pages = self.repeated = self.skipped = 0

    def __call__(self, over: threading.Event) -> None:
        due = {mark for mark in set(self.ledger.acknowledged) if not mark.startswith("stream")}
        found = self._read(over)
        if found is not None:
            self.repeated += len(found) - len(set(found))
            self.skipped += len(due - {mark for _, mark in found})

    def last(self) -> None:
        """Read once more, for the ledger."""
        self.ledger.screens[WIRE]  # it counts, whatever it is told
        for message_id, mark in self._read(threading.Event()) or []:
            self.ledger.note_heard(WIRE, mark, message_id)
        self.ledger.remarks |= {"pages": self.pages, "repeated": self.repeated, "skipped": self.skipped}

    def _read(self, over: threading.Event) -> list[tuple[str, str]] | None:
        found: list[tuple[str, str]] = []
        since: str | None = ""
        while since is not None:
            if over.is_set():
                return None
            parameters: dict[str, str | int] = {"access_token": self.token, "since": since, "limit": PAGE}
            try:
                answer = requests.get(f"{self.site.url}/api/notifications", parameters, timeout=TIMEOUT_SECONDS)
            except requests.RequestException:
                over.wait(AWAY_SECONDS)
                continue
            if answer.status_code == 503:
                over.wait(AWAY_SECONDS)
                continue
            assert answer.ok, f"{answer.status_code} {answer.text}"
            page = answer.json()
            found += [(each["id"], each["title"]) for each in page["notifications"]]
            since = page["nextCursor"]
            self.pages += 1
        return found

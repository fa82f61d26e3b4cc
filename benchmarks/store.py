"""What the store's work costs among a million items of 100,000 users, one of whom has 100,000.

    python benchmarks/store.py                       SQLite, then PostgreSQL
    python benchmarks/store.py --quick               a tenth of the rows
    python benchmarks/store.py --only sqlite --json result.json
    python benchmarks/store.py search                only what has this in its name

README.md beside this file tells what is measured and how.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]  # the tests know how to start a PostgreSQL

from flask import Flask  # noqa: E402
from postgres import postgres_server  # noqa: E402
from store_rows import BROADCAST, HEAVY, Made, fill  # noqa: E402

from notiway.extension import Notiway  # noqa: E402
from notiway.store import inbox, readers, retention, schema  # noqa: E402
from notiway.store.database import open_database, use_database  # noqa: E402
from notiway.store.search import catalogue, finding  # noqa: E402
from notiway.store.sql import has_one_writer, run  # noqa: E402
from notiway.verbs.send import send_notification  # noqa: E402

BATCHES = 7
PROCESS_CLOCK = 2  # clock_getcpuclockid(3): user + system time of a whole process, in nanoseconds
NEXT_PAGES = 10
EXPIRED = 3_000  # notifications for the cleanup


@dataclass(frozen=True)
class Row:
    """What one piece of work costs; milliseconds of CPU."""

    database: str
    work: str
    median: float
    longest: float
    stretch: float  # the longest without a pause, in which nothing else runs
    server: float  # of the database server's process, the median
    times: int


class Meter:
    """Measures work: its CPU, the stretches between its pauses, and the CPU of the server's process."""

    def __init__(self, database: str) -> None:
        self.database = database
        self.rows: list[Row] = []
        self.stretches: list[float] = []
        self._began = 0.0
        self._backend = None if has_one_writer() else int(run("SELECT pg_backend_pid()").fetchone()[0])
        self._sleep = time.sleep

    def measure(self, name: str, work: Callable[[], Any], times: int = BATCHES) -> None:
        here: list[float] = []
        server: list[float] = []
        self.stretches = []
        time.sleep = self._pause
        try:
            for _ in range(times):
                before = self._server()
                began = self._began = time.thread_time()
                work()
                self.stretches.append(time.thread_time() - self._began)
                here.append(time.thread_time() - began)
                server.append(self._server() - before)
        finally:
            time.sleep = self._sleep
        figures = [median(here), max(here), max(self.stretches), median(server)]
        self.rows.append(Row(self.database, name, *(round(each * 1000, 2) for each in figures), times))
        print(line(self.rows[-1]), flush=True)

    def _pause(self, _seconds: float) -> None:
        """In place of `time.sleep`: nothing else wants to run here."""
        self.stretches.append(time.thread_time() - self._began)
        self._began = time.thread_time()

    def _server(self) -> float:
        return 0.0 if self._backend is None else time.clock_gettime(~self._backend << 3 | PROCESS_CLOCK)


def works(made: Made) -> Iterator[tuple[str, Callable[[], Any], int]]:
    """What is measured: its name, the work, and how often; what changes rows comes last, and most of it once."""
    feed = partial(inbox.feed, HEAVY)
    middle = pages_down(NEXT_PAGES)
    yield "feed", feed, BATCHES
    yield f"page {NEXT_PAGES + 1} of the feed", partial(feed, before=middle), BATCHES
    yield "unread count", partial(inbox.unread_count, HEAVY), BATCHES
    yield "unread counts of 500 users", partial(inbox.unread_counts, [f"user-{n}" for n in range(500)]), BATCHES
    yield "sources", partial(finding.sources, HEAVY), BATCHES
    for name, filters in FILTERS.items():
        yield f"filter: {name}", partial(feed, **filters), BATCHES
    for name, text in TEXTS.items():
        yield f"search, not listed: {name}", partial(feed, text=text), BATCHES
    catalogue.ask(HEAVY)
    yield f"list {catalogue.AT_ONCE:,} items in the catalogue", catalogue.follow, 1
    while catalogue.follow():
        pass
    run("ANALYZE")  # PostgreSQL does it by itself within a minute; here it is switched off
    yield "list nothing new", catalogue.follow, BATCHES
    for name, filters in FILTERS.items():
        yield f"filter, listed: {name}", partial(feed, **filters), BATCHES
    for name, text in TEXTS.items():
        yield f"search: {name}", partial(feed, text=text), BATCHES
    yield "search of an inbox of eight items", partial(inbox.feed, "user-7", text="zzz"), BATCHES
    yield "staff log: readers of a broadcast, page by page", partial(readers.of, [BROADCAST]), BATCHES
    yield "send to one user", partial(send_notification, "user-7", "Hi"), 50
    everybody = [f"user-{n}" for n in range(made.users)]
    yield f"send to {made.users:,} users", partial(send_notification, everybody, "Hi"), 1
    yield "mark all read", partial(inbox.mark_all_read, HEAVY), 1
    run(
        "UPDATE notiway_notification SET expires_at = 1 WHERE id IN"
        " (SELECT id FROM notiway_notification ORDER BY id LIMIT ?)",
        (EXPIRED,),
    )
    yield f"cleanup of {EXPIRED:,} notifications", retention.clean_expired, 1


FILTERS: dict[str, dict[str, str]] = {
    "common type": {"type": "warning"},
    "rare type": {"type": "error"},
    "rare source": {"source": "audit"},
    "unknown source": {"source": "nobody"},
    "rare priority, unread": {"priority": "urgent", "state": "unread"},
    "read": {"state": "read"},
}
TEXTS = {
    "common word": "invoice",
    "rare word": "zeppelin",
    "two words": "landed zeppelin",
    "common elsewhere, rare here": "quarterly",
    "number": "54321",
    "Chinese": "請求書",
    "two letters": "zz",
    "nothing": "nothingness",
    "common parts, no hit": "customer invoice ticket",
}


def pages_down(count: int) -> str | None:
    before = None
    for _ in range(count):
        before = inbox.feed(HEAVY, before=before).next_cursor
    return before


def line(row: Row) -> str:
    figures = f"{row.median:>10,.2f} {row.longest:>10,.2f} {row.stretch:>10,.2f} {row.server:>10,.2f}"
    return f"{row.database:<10} {row.work:<48} {figures}"


@contextmanager
def databases(only: str | None) -> Iterator[list[tuple[str, str]]]:
    """The names and URLs of the databases that are measured."""
    with tempfile.TemporaryDirectory() as folder:
        found = [("sqlite", f"sqlite:///{folder}/store.db")]
        if only == "sqlite":
            yield found
            return
        with postgres_server() as server:
            yield [each for each in [*found, ("postgresql", server.empty())] if only in (None, each[0])]


def measure(name: str, url: str, scale: float, wanted: list[str]) -> list[Row]:
    database = open_database(url)
    use_database(database)
    schema.migrate(database)
    database.connect(reuse_if_open=True)
    began = time.monotonic()
    made = fill(database, int(1_000_000 * scale), int(100_000 * scale))
    print(f"{name}: {made.items:,} items of {made.users:,} users in {time.monotonic() - began:.0f} s", flush=True)
    app = Flask("store")
    app.config.update(SECRET_KEY="x" * 40, NOTIWAY_DATABASE_URL=url, NOTIWAY_USERS="external", NOTIWAY_JOBS="off")
    Notiway(app, database=database)
    meter = Meter(name)
    with app.app_context():
        for work, call, times in works(made):
            if not wanted or any(each in work for each in wanted):
                meter.measure(work, call, times)
    database.close_all()
    return meter.rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="measure only work with one of these in its name")
    parser.add_argument("--quick", action="store_true", help="a tenth of the rows")
    parser.add_argument("--only", choices=["sqlite", "postgresql"])
    parser.add_argument("--json", type=Path, metavar="PATH", help="write the figures there, too")
    given = parser.parse_args()
    rows: list[Row] = []
    with databases(given.only) as found:
        print(f"{'CPU, ms':<59} {'median':>10} {'longest':>10} {'stretch':>10} {'server':>10}")
        for name, url in found:
            rows += measure(name, url, 0.1 if given.quick else 1.0, given.names)
    if given.json is not None:
        given.json.write_text(json.dumps([asdict(row) for row in rows], indent=2) + "\n")


if __name__ == "__main__":
    main()

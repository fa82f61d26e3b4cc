"""Contacts: what the host application's demo imports from a CSV file, in the background and in batches."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Iterable
from itertools import islice

from notiway.host.tables import Contact
from notiway.store.database import db
from notiway.values.audience import Audience
from notiway.values.ids import new_id
from notiway.verbs.progress import report_progress

EVENT = "import-progress"
COLUMNS = ("email", "name", "city")
BATCH = 100  # rows of one transaction
PAUSE_SECONDS = 0.05  # after each: the pages that are open share this process
MAX_ROWS = 20_000
MAX_FIELD = 200  # characters
SAMPLE_ROWS = 10_000
CITIES = ("Lisbon", "Porto", "Turin", "Graz", "Ghent", "Malmö", "Brno", "Łódź")


class BadFile(Exception):
    """The file, or a row of it, cannot be imported; the message says which and why."""


def sample(broken_row: int | None = None) -> bytes:
    """A CSV file of 10,000 rows; `broken_row` has no e-mail address."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for number in range(1, SAMPLE_ROWS + 1):
        email = "nobody" if number == broken_row else f"person{number}@example.com"
        writer.writerow((email, f"Person {number}", CITIES[number % len(CITIES)]))
    return out.getvalue().encode()


def announce(user_id: str, connection_id: str = "") -> tuple[str, str]:
    """A new import's task id and whom it reports to: the user, or only one tab. Pages show it as waiting."""
    task_id = new_id()
    to = Audience.connection(connection_id) if connection_id else Audience.user(user_id)
    report_progress(to, task_id, 0, 0, "The file is in the queue", status="queued", name=EVENT, user_id=user_id)
    return task_id, to.key


def import_contacts(task_id: str, user_id: str, to: str, data: bytes) -> None:
    """The job: replace the user's contacts by those in the file, and report after every row."""
    audience = Audience.parse(to)
    done, rows = 0, list[dict[str, str]]()

    def report(message: str, status: str | None = None) -> None:
        report_progress(audience, task_id, done, len(rows), message, status=status, name=EVENT, user_id=user_id)

    try:
        rows = read(data)
        Contact.delete().where(Contact.user_id == user_id).execute()
        while done < len(rows):
            batch = rows[done : done + BATCH]
            _store(user_id, [_checked(row, done + place) for place, row in enumerate(batch, 1)])
            for _ in batch:
                done += 1
                report(f"Row {done:,} of {len(rows):,}", "processing")
            time.sleep(PAUSE_SECONDS)
    except BadFile as fault:
        report(f"{fault} {done:,} rows were imported." if done else str(fault), "failed")
    except Exception:
        report("The import failed because of an error on our side. Try again.", "failed")
        raise
    else:
        report(f"{len(rows):,} contacts imported", "completed")


def read(data: bytes) -> list[dict[str, str]]:
    """The rows of a file; `BadFile` where it is no such file."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadFile(f"The file is not UTF-8 text (byte {error.start:,}). Save it as CSV UTF-8.") from None
    reader = csv.DictReader(io.StringIO(text, newline=""), restval="", strict=True)
    try:
        missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
        if missing:
            raise BadFile(
                f"The first line must name the columns {', '.join(COLUMNS)}; {', '.join(missing)} is missing."
            )
        rows = [{name: row[name] for name in COLUMNS} for row in islice(reader, MAX_ROWS + 1)]
    except csv.Error as error:
        raise BadFile(f"Line {reader.line_num:,} is not valid CSV: {error}.") from None
    if not rows:
        raise BadFile("The file has no rows.")
    if len(rows) > MAX_ROWS:
        raise BadFile(f"The file has more than {MAX_ROWS:,} rows. Split it.")
    return rows


def how_many(user_id: str) -> int:
    """How many contacts the user has."""
    count: int = Contact.select().where(Contact.user_id == user_id).count()
    return count


def _checked(row: dict[str, str], number: int) -> dict[str, str]:
    email = row["email"].strip().lower()
    if email.count("@") != 1 or email.startswith("@") or email.endswith("@"):
        raise BadFile(f"Row {number:,}: {email[:40]!r} is not an e-mail address.")
    if _too_long(row.values()):
        raise BadFile(f"Row {number:,}: a field has more than {MAX_FIELD} characters.")
    return row | {"email": email}


def _store(user_id: str, rows: list[dict[str, str]]) -> None:
    latest = {row["email"]: {**row, "user_id": user_id} for row in rows}  # the same address twice: the last one counts
    insert = Contact.insert_many(list(latest.values())).on_conflict(
        conflict_target=[Contact.user_id, Contact.email], preserve=[Contact.name, Contact.city]
    )
    with db.atomic():
        insert.execute()


def _too_long(values: Iterable[str]) -> bool:
    return any(len(value) > MAX_FIELD for value in values)

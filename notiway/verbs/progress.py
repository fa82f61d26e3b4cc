"""Progress: a long job tells its user, or one tab, how far it has come."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeGuard

from peewee import PeeweeException

from notiway.live.runtime import current
from notiway.store import tasks
from notiway.store.database import db
from notiway.store.session.joining import stands_aside
from notiway.store.tasks import Task
from notiway.values.audience import Audience
from notiway.values.clock import now_ms
from notiway.values.draft import LABEL_LIMIT, MESSAGE_LIMIT, TITLE_LIMIT, name_faults, text_faults, words_of
from notiway.values.errors import Fault, InvalidNotification
from notiway.values.ids import new_id
from notiway.values.item import Item
from notiway.verbs.send import send_notification

log = logging.getLogger(__name__)

INTERVAL_SECONDS = 0.1  # between two reports of one task that leave this process
COUNTS = range(2**63)  # what a column holds
COUNT_FAULT = "must be a whole number from 0 to 2^63 - 1"
STATUSES = ("queued", "processing", "completed", "failed")
TYPES = {"completed": "success", "failed": "error"}
STOPPED = "It stopped because of an error. Start it again."
_reported: ContextVar[set[str] | None] = ContextVar("notiway_reported", default=None)  # by the job that runs here


@stands_aside
def report_progress(
    to: Any,
    task_id: str,
    done: int,
    total: int,
    message: str = "",
    *,
    status: str | None = None,
    name: str = "task-progress",
    user_id: str | None = None,
    title: str | None = None,
) -> None:
    """Report how far a job has come; call it as often as you like, ten reports a second are told at most.

    >>> for number, row in enumerate(rows, 1):  # doctest: +SKIP
    ...     store(row)
    ...     report_progress(user.id, "import-456", number, len(rows), f"Row {number}", name="import-progress")

    `to` is the user (id or object), or `Audience.connection(id)` for the one tab that started the job; then
    `user_id` says whose job it is. `done` of `total` are whole numbers; a `total` of 0 is not known yet. `status` is
    queued, processing, completed or failed; left out, it is completed when all is done, else processing.
    `title` is the heading of the bar, until another is given; without one the template chooses, or `name` says it.
    `templates/events/<name>.html` draws it, where there is one, else the bar that comes with Notiway. The state is kept
    in a table, so that a page that is loaded again shows it (`{{ notiway.tasks(name) }}`).
    Inside a transaction it is told after the commit. `InvalidNotification` names every fault; `NotFound`: the task is
    another user's.
    """
    owner, audience = _whose(to, user_id)
    state = status or ("completed" if _is_count(total) and _is_count(done) and 0 < total <= done else "processing")
    faults = _faults(task_id, done, total, message, state, name) + _owner_faults(owner)
    if title is not None:
        faults += text_faults("title", title, TITLE_LIMIT, required=True)
    if faults:
        raise InvalidNotification("The report is not valid", faults)
    reported = _reported.get()
    if reported is not None:
        reported.add(task_id)
    pace = current().pace
    if state == "processing" and not pace.due(task_id, INTERVAL_SECONDS):
        return
    with db.atomic():
        task = tasks.save(
            task_id,
            user_id=owner,
            audience=audience,
            name=name,
            status=state,
            done=done,
            total=total,
            message=message,
            title=title,
        )
        send_notification(
            Audience.parse(task.audience),
            task.title or words_of(name),
            message,
            type=TYPES.get(state, "info"),
            name=name,
            body=body_of(task),
            persist=False,
            replaces=task.id,
        )
    if state in TYPES:
        pace.forget(task_id)


def _faults(task_id: object, done: object, total: object, message: object, state: object, name: object) -> list[Fault]:
    found = [
        *text_faults("task_id", task_id, LABEL_LIMIT, required=True),
        *text_faults("message", message, MESSAGE_LIMIT),
        *name_faults(name),
    ]
    if state not in STATUSES:
        found.append(Fault("status", f"must be one of {', '.join(STATUSES)}"))
    counts = {"done": done, "total": total}
    no_counts = [Fault(path, COUNT_FAULT) for path, value in counts.items() if not _is_count(value)]
    if not no_counts and total and done > total:  # type: ignore[operator]
        no_counts.append(Fault("done", "must lie between 0 and total"))
    return found + no_counts


def _owner_faults(owner: str) -> list[Fault]:
    return (
        text_faults("user_id", owner, LABEL_LIMIT) if owner else [Fault("user_id", "is required if `to` is not a user")]
    )


def _is_count(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value in COUNTS


@contextmanager
def followed(arguments: Iterable[Any]) -> Iterator[None]:
    """Around a job: its tasks are no longer waiting, and have failed if it raises, also before its first report.

    Its tasks are those that it reports on, and those whose ids are among its arguments.
    """
    named = {each for each in arguments if isinstance(each, str)}
    reported: set[str] = set()
    before = _reported.set(reported)
    try:
        _begin(named)
        yield
    except BaseException:  # also what ends a worker
        _fail(named | reported)
        raise
    finally:
        _reported.reset(before)


def _begin(task_ids: set[str]) -> None:
    try:
        if task_ids:
            tasks.begin(task_ids)
    except PeeweeException:
        log.exception("the tasks of a job could not be marked as begun; the job goes on")


def _fail(task_ids: set[str]) -> None:
    """Tell that tasks have failed; a fault here must not hide the one that the job met."""
    try:
        for task in tasks.running(task_ids):
            report_progress(
                Audience.parse(task.audience),
                task.id,
                task.done,
                task.total,
                STOPPED,
                status="failed",
                name=task.name,
                user_id=task.user_id,
            )
    except Exception:
        log.exception("the tasks of a job that failed could not be marked; they are shown as failed after a minute")


def item_of(task: Task) -> Item:
    """A task as its last report looked, for a page that is loaded now."""
    return Item(
        id=new_id(),
        audience=task.audience,
        name=task.name,
        type=TYPES.get(task.status, "info"),
        priority="medium",
        title=task.title or words_of(task.name),
        message=task.message,
        created_at=task.updated_at,
        body=body_of(task),
        persisted=False,
    )


def body_of(task: Task) -> dict[str, Any]:
    """What the event carries: `taskId`, `status`, `progress` in percent, `done`, `total`, `message`, `secondsLeft`.

    `progress` and `secondsLeft` are None where nobody can know them; `tabOnly` says that one tab alone hears of it.
    `title` is there where one was given.
    """
    percent = min(100, task.done * 100 // task.total) if task.total else None
    given = {} if task.title is None else {"title": task.title}
    return {
        **given,
        "taskId": task.id,
        "status": task.status,
        "progress": 100 if task.status == "completed" else percent,
        "done": task.done,
        "total": task.total,
        "message": task.message,
        "secondsLeft": _seconds_left(task),
        "tabOnly": task.audience.startswith("connection:"),
    }


def _seconds_left(task: Task) -> int | None:
    spent_ms: int = max(task.updated_at, now_ms()) - task.created_at
    if task.status != "processing" or not task.done or not task.total or spent_ms < 1000:
        return None  # the first second tells nothing
    left: int = -(-spent_ms * (task.total - task.done) // (task.done * 1000))
    return left


def _whose(to: Any, user_id: str | None) -> tuple[str, str]:
    """The owner of the task, empty where nobody said, and the key of who hears of it."""
    if isinstance(to, Audience):
        owner = to.value if to.type.name == "USER" else user_id or ""
        return owner, to.key
    owner = str(to if isinstance(to, str | int) else getattr(to, "id", None) or to.get_id())
    return owner, f"user:{owner}"

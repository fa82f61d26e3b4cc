"""Tasks: how far long jobs have come. What users ask for filters by the user; jobs name their tasks by id."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from notiway.store.tables import Task as Task
from notiway.values.clock import now_ms
from notiway.values.errors import NotFound, WrongInput

SHOWN = 3  # tasks of one kind on a page, the newest
SHOWN_MS = 24 * 60 * 60 * 1000  # a task that ended longer ago is no news
SILENCE_MS = 60_000  # a task that says nothing for so long has died with its process
SILENT = "It stopped reporting. Start it again."
WAITING = "It is still waiting: other work goes first, or no worker is running."
RUNNING = ("queued", "processing")


def save(
    task_id: str,
    *,
    user_id: str,
    audience: str,
    name: str,
    status: str,
    done: int,
    total: int,
    message: str,
    title: str | None = None,
) -> Task:
    """Store how far a task has come; the row as it is then.

    Who hears of it stays as it was: a tab that was loaded again has another connection than the job knows. So does a
    title that was given before.
    """
    now = now_ms()
    fresh = Task(
        id=task_id,
        user_id=user_id,
        audience=audience,
        name=name,
        status=status,
        done=done,
        total=total,
        message=message,
        title=title,
        created_at=now,
        updated_at=now,
    )
    changed: dict[Any, Any] = {
        Task.status: status,
        Task.done: done,
        Task.total: total,
        Task.message: message,
        Task.updated_at: now,
    }
    if title is not None:
        changed[Task.title] = title
    insert = Task.insert(**fresh.__data__).on_conflict(
        conflict_target=[Task.id], update=changed, where=(Task.user_id == user_id) & (Task.name == name)
    )
    insert.execute()
    stored = Task.get_or_none((Task.id == task_id) & (Task.user_id == user_id) & (Task.name == name))
    if stored is None:
        raise NotFound(f"The task {task_id} belongs to somebody else")
    return stored


def standing(user_id: str, name: str) -> list[Task]:
    """The user's latest tasks of one kind that report to all the user's tabs, newest first."""
    rows = (
        Task.select()
        .where(
            (Task.user_id == user_id)
            & (Task.name == name)
            & (Task.audience == f"user:{user_id}")
            & (Task.updated_at > now_ms() - SHOWN_MS)
        )
        .order_by(Task.created_at.desc(), Task.id.desc())
        .limit(SHOWN)
    )
    return [_told_dead(task) for task in rows]


def is_running(user_id: str, name: str) -> bool:
    """Whether a task of this kind is waiting or at work."""
    alive = (Task.status << RUNNING) & (Task.updated_at > now_ms() - SILENCE_MS)
    return bool(Task.select().where((Task.user_id == user_id) & (Task.name == name) & alive).exists())


def get(user_id: str, task_id: str) -> Task:
    """One task of the user, as it was last reported; `NotFound` if there is none."""
    task = Task.get_or_none((Task.id == task_id) & (Task.user_id == user_id))
    if task is None:
        raise NotFound("There is no such task")
    return _told_dead(task)


def follow(user_id: str, task_id: str, audience: str) -> Task:
    """Let a task that reports to one tab report to that tab's new connection; returns it."""
    own = (Task.id == task_id) & (Task.user_id == user_id) & Task.audience.startswith("connection:")
    Task.update({Task.audience: audience}).where(own).execute()
    return get(user_id, task_id)


def close(user_id: str, task_id: str) -> None:
    """Forget a task that has ended or that nobody hears of any more; `NotFound`, and `WrongInput` while it runs."""
    task = get(user_id, task_id)
    if task.status in RUNNING and not is_late(task):
        raise WrongInput("It is still running. It can be closed when it has ended")
    Task.delete().where((Task.id == task_id) & (Task.user_id == user_id)).execute()


def begin(task_ids: Iterable[str]) -> None:
    """Note that a job has taken up these tasks, of those that wait."""
    waiting = (Task.id << list(task_ids)) & (Task.status == "queued")
    Task.update({Task.status: "processing", Task.updated_at: now_ms()}).where(waiting).execute()


def running(task_ids: Iterable[str]) -> list[Task]:
    """Those of these tasks that have not ended."""
    return list(Task.select().where((Task.id << list(task_ids)) & (Task.status << RUNNING)).order_by(Task.id))


def is_late(task: Task) -> bool:
    """Whether a task that waits for its job has waited so long that something may be wrong."""
    return bool(task.status == "queued" and task.updated_at < now_ms() - SILENCE_MS)


def _told_dead(task: Task) -> Task:
    if is_late(task):
        task.message = WAITING
    elif task.status in RUNNING[1:] and task.updated_at < now_ms() - SILENCE_MS:
        task.status, task.message = "failed", SILENT
    return task

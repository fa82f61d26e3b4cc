"""Tasks: what threads and greenlets do in a real process, one at a time, switched where the world decides."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from greenlet import getcurrent, greenlet

from notiway.values.errors import NotiwayError


class Crash(BaseException):
    """The process that runs this is dead: nothing after this line happens."""


class Undo(Exception):
    """Raised inside a transaction to roll it back."""


class Task(greenlet):
    """One piece of work of one process. `commit` is the number of the last commit that it made.

    A task that is done does the next piece of work: to make a greenlet takes longer than many pieces.
    """

    tasks: Tasks
    owner: Any
    commit: int
    work: Callable[[], None]

    def __init__(self, home: greenlet) -> None:
        super().__init__(self._body, home)

    def _body(self) -> None:
        try:
            while True:
                self._do()
                IDLE.append(self)
                self.tasks.home.switch()
        except Crash:
            return

    def _do(self) -> None:
        try:
            self.work()
        except (Undo, NotiwayError):
            return
        except Exception as error:  # noqa: BLE001 - whatever it is, the schedule has found it
            self.tasks.faults.append(f"a task died: {type(error).__name__}: {error}")


IDLE: list[Task] = []  # from one schedule to the next


class Tasks:
    """All tasks that could go on now. A task runs until it pauses, waits or ends."""

    def __init__(self) -> None:
        self.ready: list[Task] = []
        self.faults: list[str] = []
        self._waiting: dict[Task, None] = {}
        self.home = getcurrent()

    def spawn(self, owner: Any, work: Callable[[], None]) -> Task:
        task = IDLE.pop() if IDLE and IDLE[-1].parent is self.home else Task(self.home)
        task.tasks, task.owner, task.work, task.commit = self, owner, work, 0
        self.ready.append(task)
        return task

    def current(self) -> Task | None:
        running = getcurrent()
        return running if isinstance(running, Task) else None

    def run(self, number: int) -> None:
        """Let one of the ready tasks go on."""
        self.ready.pop(number).switch()

    def pause(self) -> None:
        """Let others run; called in a task."""
        task = getcurrent()
        self.ready.append(task)
        self.home.switch()

    def wait(self) -> None:
        """Go on when somebody calls `wake`; called in a task."""
        self._waiting[getcurrent()] = None
        self.home.switch()

    def wake(self, task: Task) -> None:
        if self._waiting.pop(task, self) is None:
            self.ready.append(task)

    def kill(self, owner: Any) -> int:
        """End all tasks of a process that has crashed; how many there were."""
        doomed = [task for task in (*self.ready, *self._waiting) if task.owner is owner]
        self.ready = [task for task in self.ready if task.owner is not owner]
        for task in doomed:
            self._waiting.pop(task, None)
            _kill(task)
        return len(doomed)

    def end(self) -> None:
        for task in (*self.ready, *self._waiting):
            _kill(task)
        self.ready.clear()
        self._waiting.clear()


def _kill(task: Task) -> None:
    if task:  # it has begun
        task.parent = getcurrent()
        task.throw(Crash)

"""Answer: what became of the actions of a notification. One press answers for everybody it was for.

As it is stored and sent: `press` (the id of this press), `action` and `label` of what was pressed, `status` (pending,
done or failed), `by` and `byName` (who pressed), `at` and `endsAt` (milliseconds since the epoch; a pending one that is
not over by then was interrupted), `message` (why it failed), `undo` (`action` and `label` of what takes it back), and
`undoes`: the answer that this press takes back.
"""

from __future__ import annotations

from typing import Any

from notiway.values.kinds.action import Undo

Answer = dict[str, Any]

PENDING_MS = 60_000  # after which a press whose process is silent counts as interrupted
INTERRUPTED = "It was interrupted. Try again."
OPEN = "open"


def settled(answer: Answer | None, now_ms: int) -> Answer | None:
    """What an answer has come to by now: one that was interrupted has failed, and takes nothing back.

    >>> settled({"status": "pending", "endsAt": 5}, 6)["status"]
    'failed'
    """
    if answer is None or answer["status"] != "pending" or now_ms < answer["endsAt"]:
        return answer
    undone: Answer | None = answer.get("undoes")
    return undone if undone is not None else {**answer, "status": "failed", "message": INTERRUPTED}


def status_of(answer: Answer | None) -> str:
    """open, pending, done or failed."""
    return OPEN if answer is None else str(answer["status"])


def begun(
    press_id: str, action: str, label: str, by: str, by_name: str, now_ms: int, undoes: Answer | None = None
) -> Answer:
    """The answer while its handler runs."""
    return {
        "press": press_id,
        "action": action,
        "label": label,
        "status": "pending",
        "by": by,
        "byName": by_name,
        "at": now_ms,
        "endsAt": now_ms + PENDING_MS,
        **({} if undoes is None else {"undoes": undoes}),
    }


def done(pending: Answer, undo: Undo | None) -> Answer | None:
    """The answer once its handler has returned; None where it took another one back, so that all is open again."""
    if "undoes" in pending:
        return None
    way_back = {} if undo is None else {"undo": {"action": undo.action, "label": undo.label}}
    return {**pending, "status": "done", **way_back}


def failed(pending: Answer, message: str) -> Answer:
    """The answer once its handler has raised: what could not be taken back stands, and says why."""
    if "undoes" in pending:
        return {**pending["undoes"], "message": message}
    return {**pending, "status": "failed", "message": message}

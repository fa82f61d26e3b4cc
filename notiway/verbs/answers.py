"""Answering: somebody presses a button of a notification, once for everybody it was for."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from notiway import signals
from notiway.live.runtime import Runtime, current
from notiway.pausing import pause
from notiway.store import inbox, writing
from notiway.store.database import db
from notiway.store.engine.retrying import in_transaction
from notiway.store.rows import SEVERAL
from notiway.store.sql import in_batches
from notiway.values.clock import now_ms
from notiway.values.errors import ActionFailed, NotFound
from notiway.values.event import Event
from notiway.values.ids import new_id
from notiway.values.item import Item
from notiway.values.kinds.action import Undo
from notiway.values.kinds.answer import Answer, begun, done, failed
from notiway.values.kinds.kind import Handler
from notiway.verbs.events import heard_of, named, publish_all
from notiway.verbs.send import TOLD_AT_ONCE

log = logging.getLogger(__name__)

BROKEN = "It could not be done."  # what readers hear of a fault that is no `ActionFailed`
Call = Callable[[str], None]


class _OvertakenError(Exception):
    """The press took so long that it counted as interrupted, and another one has begun: what it wrote is undone."""


def press(user_id: str, notification_id: str, name: str, *, by_name: str, call: Call) -> Item:
    """Press the action of this name; the item as it is then, whoever pressed first.

    `call` carries out an action that has an address and no handler; it raises `ActionFailed`. `by_name` is what readers
    see. `NotFound`: the user has no such item, or it has no such action.
    """
    runtime = current()
    item = inbox.get(user_id, notification_id)
    action = next((each for each in item.actions if (each["name"], each["method"]) == (name, "post")), None)
    if action is None:
        raise NotFound("There is no such action")
    if item.action_status in ("pending", "done"):
        return item
    handler = runtime.kinds.handler(item.name, name)
    if handler is None:
        handler = Handler(lambda _user_id, _item: _call(call, action["url"]))
    return _answer(runtime, user_id, item, begun(new_id(), name, action["label"], user_id, by_name, now_ms()), handler)


def undo(user_id: str, notification_id: str, *, by_name: str) -> Item:
    """Take back what was done, where its handler said how; the item as it is then.

    `NotFound`: the user has no such item, or there is nothing to take back.
    """
    runtime = current()
    item = inbox.get(user_id, notification_id)
    answer = item.settled_answer
    if answer is None:
        return item  # somebody was faster
    way = answer.get("undo") if answer["status"] == "done" else None
    if way is None:
        raise NotFound("There is nothing to undo")
    handler = runtime.kinds.handler(item.name, way["action"])
    if handler is None:
        log.error("the kind %s has no handler %r any more, so nobody can undo: declare it", item.name, way["action"])
        raise NotFound("There is nothing to undo")
    undoes = {name: value for name, value in answer.items() if name != "message"}
    pending = begun(new_id(), way["action"], way["label"], user_id, by_name, now_ms(), undoes)
    return _answer(runtime, user_id, item, pending, handler)


def _answer(runtime: Runtime, user_id: str, item: Item, pending: Answer, handler: Handler) -> Item:
    """Claim it, carry it out, note what came of it. A process that dies in between leaves a claim that ends."""
    if in_transaction(db, lambda: _note(runtime, item, pending)):
        claimed = replace(item, answer=pending)
        try:
            if handler.atomic:
                in_transaction(db, lambda: _carry_out_and_note(runtime, user_id, claimed, handler))
                signals.tell(signals.acted, user_id=user_id, id=item.id, action=pending["action"])
                return inbox.get(user_id, item.id)
            after = done(pending, _carried_out(runtime, user_id, claimed, handler))
        except ActionFailed as error:
            after = failed(pending, error.message)
        except _OvertakenError:
            log.warning("what %s of %s did was undone, since it took too long", pending["action"], item.id)
            return inbox.get(user_id, item.id)
        except Exception:
            log.exception("the action %s of notification %s failed", pending["action"], item.id)
            after = failed(pending, BROKEN)
        if not in_transaction(db, lambda: _note(runtime, claimed, after)):
            log.warning("the action %s of %s took so long that it counts as interrupted", pending["action"], item.id)
        elif "message" not in (after or {}):
            signals.tell(signals.acted, user_id=user_id, id=item.id, action=pending["action"])
    return inbox.get(user_id, item.id)


def _carry_out_and_note(runtime: Runtime, user_id: str, item: Item, handler: Handler) -> None:
    way_back = _carried_out(runtime, user_id, item, handler)
    if not _note(runtime, item, done(item.answer or {}, way_back)):
        raise _OvertakenError


def _carried_out(runtime: Runtime, user_id: str, item: Item, handler: Handler) -> Undo | None:
    """What its handler returned, if that can be found again after a restart."""
    returned = handler.function(user_id, item)
    if not isinstance(returned, Undo):
        return None
    if runtime.kinds.handler(item.name, returned.action) is None:
        log.error("the kind %s has no handler %r, so nobody can undo: declare it", item.name, returned.action)
        return None
    return returned


def _call(call: Call, url: str | None) -> None:
    if url is None:
        raise ActionFailed("This application does not know how to do that any more.")
    call(url)


def _note(runtime: Runtime, item: Item, after: Answer | None) -> bool:
    """Inside a transaction: replace the answer that the item has; False if it has another one by now."""
    if not writing.set_answer(item.id, item.answer, after):
        return False
    db.after_commit(lambda: _tell(runtime, item.id, after))
    return True


def _tell(runtime: Runtime, notification_id: str, answer: Answer | None) -> None:
    """Tell every device of everybody it was for."""
    stored = writing.find(notification_id)
    if stored is None:
        return
    item = replace(stored, answer=answer)
    if item.audience != SEVERAL:
        publish_all(runtime, _events(item, [item.audience]))
        return
    last = ""
    while holders := writing.holders(item.id, last):
        for part in in_batches(heard_of(runtime, holders), TOLD_AT_ONCE):
            publish_all(runtime, _events(item, [f"user:{user_id}" for user_id in part]))
        last = holders[-1]
        pause()


def _events(item: Item, keys: Sequence[str]) -> list[Event]:
    events = []
    for key in keys:
        seen = replace(item, audience=key)
        data: dict[str, Any] = {"ids": [item.id], "items": named([seen]), "answer": item.answer}
        events.append(Event("answered", key, {**data, "notification": seen.as_dict()}))
    return events

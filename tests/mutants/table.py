"""The mutants: small faults, each with the tests that must find it. `old` occurs exactly once in its file."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    """One fault: in `file`, `old` becomes `new`."""

    name: str
    file: str
    old: str
    new: str
    tests: str  # what is given to pytest


MUTANTS = (
    # Who may come in
    Mutant(
        "a page over TLS takes an origin without",
        "notiway/web/auth.py",
        'schemes = ("https",) if request.is_secure else ("http", "https")',
        'schemes = ("http", "https")',
        "tests/web/test_auth.py",
    ),
    Mutant(
        "a token of the moment of the sign-out lives on",
        "notiway/store/credentials/tokens.py",
        "ended_at >= ?)",
        "ended_at > ?)",
        "tests/store/credentials/test_tokens.py tests/gateway/test_admission.py",
    ),
    Mutant("a client names the host", "notiway/host/app.py", "x_host=0", "x_host=1", "tests/host/test_app.py"),
    Mutant(
        "answers do not say what they depend on",
        "notiway/web/caching.py",
        "response.vary.update(VARY)",
        "response.vary.update(())",
        "tests/web/test_caching.py",
    ),
    Mutant(
        "answers do not say that they depend on the origin",
        "notiway/web/cross_origin.py",
        'response.vary.add("Origin")',
        "response.vary.update(())",
        "tests/web/test_cross_origin.py",
    ),
    Mutant(
        "each request writes when a key was used",
        "notiway/store/credentials/api_keys.py",
        "if (producer.last_used_at or 0) < now - USE_NOTED_MS:",
        "if producer.id:",
        "tests/store/credentials/test_api_keys.py",
    ),
    Mutant(
        "a revoked key is found",
        "notiway/store/credentials/api_keys.py",
        "(ApiKey.hash == hash_key(key)) & ApiKey.revoked_at.is_null()",
        "ApiKey.hash == hash_key(key)",
        "tests/store/credentials/test_api_keys.py",
    ),
    Mutant(
        "an earlier end of a user's tokens takes the place of a later one",
        "notiway/store/credentials/tokens.py",
        " WHERE excluded.ended_at > notiway_token_end.ended_at",
        "",
        "tests/store/credentials/test_tokens.py",
    ),
    Mutant(
        "a spent token is spent again",
        "notiway/store/credentials/tokens.py",
        "return bool(db.rows_affected(db.execute(spent)))",
        "return db.rows_affected(db.execute(spent)) >= 0",
        "tests/store/credentials/test_tokens.py",
    ),
    Mutant(
        "a bad token is followed by a look at the session",
        "notiway/web/auth.py",
        "return of_claims(_admit(token))",
        "return of_claims(_admit(token)) if token.count('.') == 2 else None",
        "tests/web/test_auth.py",
    ),
    Mutant(
        "any origin that begins like ours may connect",
        "notiway/web/auth.py",
        'if origin.lower() not in [f"{scheme}://{request.host.lower()}" for scheme in schemes]:',
        'if not origin.lower().startswith(tuple(f"{scheme}://{request.host.lower()}" for scheme in schemes)):',
        "tests/web/test_auth.py",
    ),
    Mutant(
        "a token without an issuer is taken",
        "notiway/gateway/client_tokens.py",
        "            issuer=ISSUER,\n",
        "",
        "tests/gateway/test_client_tokens.py",
    ),
    Mutant(
        "the token of a deactivated user is good",
        "notiway/gateway/admission.py",
        "    if active is False:\n        raise Unauthorized(",
        "    if active is ...:\n        raise Unauthorized(",
        "tests/gateway/test_admission.py",
    ),
    # What is stored
    Mutant(
        "the other of two forms at once fails",
        "notiway/verbs/staff.py",
        "        if first is None:\n            raise\n",
        "        if first is not ...:\n            raise\n",
        "tests/verbs/test_staff.py",
    ),
    Mutant(
        "the cursor stays at the oldest",
        "notiway/store/log/pulling.py",
        "_move(known, decided)",
        "_move(known, positions.LOWEST)",
        "tests/store/log/test_pulling.py",
    ),
    Mutant(
        "a second deletion moves the first",
        "notiway/store/inbox.py",
        '"deleted_at = COALESCE(deleted_at, ?)"',
        '"deleted_at = ?"',
        "tests/store/test_inbox.py",
    ),
    Mutant(
        "reading again moves when it was read",
        "notiway/store/inbox.py",
        '"read_at = COALESCE(read_at, ?), seen_at',
        '"read_at = ?, seen_at',
        "tests/store/test_inbox.py",
    ),
    Mutant(
        "an unread mark forgets that it was seen",
        "notiway/store/inbox.py",
        '_change(user_id, ids, "read_at = NULL")',
        '_change(user_id, ids, "read_at = NULL, seen_at = NULL")',
        "tests/store/test_inbox.py",
    ),
    Mutant(
        "what is over is counted",
        "notiway/store/rows.py",
        "+n.expires_at > ?)",
        "+n.expires_at > ? - 1)",
        "tests/store/test_inbox.py tests/store/log/test_standing.py",
    ),
    Mutant(
        "the count goes on",
        "notiway/store/inbox.py",
        "COUNT_CAP = 100",
        "COUNT_CAP = 101",
        "tests/store/test_inbox.py",
    ),
    Mutant(
        "a read mark needs no look at broadcasts",
        "notiway/store/inbox.py",
        "if len(found) < len(set(ids)) and catch_up(user_id):",
        "if len(found) > len(set(ids)) and catch_up(user_id):",
        "tests/store/test_inbox.py",
    ),
    Mutant(
        "a second recall recalls again",
        "notiway/store/writing.py",
        "(Notification.id == notification_id) & Notification.recalled_at.is_null()",
        "Notification.id == notification_id",
        "tests/store/test_writing.py tests/verbs/test_recall.py",
    ),
    Mutant(
        "a resume repeats the item that the reader has",
        "notiway/store/log/resuming.py",
        " AND i.notification_id <> ?",
        " AND i.notification_id <> '' || ? || '-'",
        "tests/store/log/test_resuming.py",
    ),
    Mutant(
        "a page forgets whether there is more",
        "notiway/store/log/resuming.py",
        "Cursor(cursor.seen, until, last, cursor.but), more=True)",
        "Cursor(cursor.seen, until, last, cursor.but), more=False)",
        "tests/store/log/test_resuming.py",
    ),
    Mutant(
        "broadcasts are pulled once more by a page of the past",
        "notiway/store/log/resuming.py",
        "is_present = cursor.until is None",
        "is_present = cursor.until is not None",
        "tests/store/log/test_resuming.py",
    ),
    # What is told
    Mutant(
        "an event is published before the commit",
        "notiway/verbs/items.py",
        'db.after_commit(lambda: publish(runtime, Event(kind, f"user:{user_id}", changed)))',
        'publish(runtime, Event(kind, f"user:{user_id}", changed))',
        "tests/verbs/test_items.py",
    ),
    Mutant(
        "who joins is not told what stands",
        "notiway/verbs/membership.py",
        "tell_restored(runtime, user_id, mine, unread)",
        "tell_restored(runtime, user_id, [], unread)",
        "tests/verbs/test_membership.py",
    ),
    Mutant(
        "a kick of one session closes all",
        "notiway/live/hub.py",
        "if session is None or connection.session == session:",
        "if session is None or connection.session:",
        "tests/live/test_hub.py",
    ),
    Mutant(
        "one connection too many is let in",
        "notiway/live/hub.py",
        "for each in mine if each is not connection) >= self._per_user:",
        "for each in mine if each is not connection) > self._per_user:",
        "tests/live/test_hub.py",
    ),
    Mutant(
        "who leaves hears on",
        "notiway/live/hub.py",
        'self.listeners.remove(connection, event.data["audience"])',
        'self.listeners.of(event.data["audience"])',
        "tests/live/test_hub.py",
    ),
    Mutant(
        "progress overtakes the news that all is done",
        "notiway/live/delivery/coalescing.py",
        "for waiting in self._newest.pop(event.audience, {}).values():",
        "for waiting in []:",
        "tests/live/delivery/test_coalescing.py",
    ),
    Mutant(
        "an item that was replayed comes again",
        "notiway/live/connection.py",
        "if self.state is not State.OPEN or item_id in self.known:",
        "if self.state is not State.OPEN:",
        "tests/live/test_connection.py tests/live/test_replayed.py",
    ),
    Mutant(
        "what was held is forgotten",
        "notiway/live/connection.py",
        "        for item_id, key, data in held:\n            self.offer(data, key, item_id)\n",
        "        del held\n",
        "tests/live/test_connection.py tests/live/test_hub.py",
    ),
    Mutant(
        "a superseded frame is counted on",
        "notiway/live/backlog.py",
        "size -= len(superseded.pop())",
        "superseded.pop()",
        "tests/live/test_backlog.py",
    ),
    Mutant(
        "a silent client is never let go",
        "notiway/live/heartbeat.py",
        "connection.missed += 1",
        "connection.missed += 0",
        "tests/live/test_heartbeat.py",
    ),
    Mutant(
        "an empty frame goes out",
        "notiway/live/delivery/format.py",
        "if not text:  # an empty frame is no message of any protocol",
        "if text is None:",
        "tests/live/delivery/test_format.py",
    ),
    Mutant(
        "a broadcast leaves the badges as they are",
        "notiway/live/badges.py",
        "if event.leaves_counts_open:",
        "if event.kind is None:",
        "tests/live/test_badges.py",
    ),
    Mutant(
        "a deadline is never looked at again",
        "notiway/live/deadlines.py",
        "self._next = min((due for due, _ in self._ends.values()), default=math.inf)",
        "self._next = math.inf",
        "tests/live/test_deadlines.py",
    ),
    # What producers send
    Mutant(
        "a date beyond all clients is stored",
        "notiway/values/draft.py",
        "if value is not None and not EARLIEST_MS <= value <= LATEST_MS:",
        "if value is not None and not EARLIEST_MS <= value:",
        "tests/values/test_draft.py",
    ),
    Mutant(
        "a body may be one level too deep",
        "notiway/values/draft.py",
        "if is_deeper(body, BODY_DEPTH_LIMIT):",
        "if is_deeper(body, BODY_DEPTH_LIMIT + 1):",
        "tests/values/test_draft.py",
    ),
    Mutant(
        "a body with NUL is stored",
        "notiway/values/draft.py",
        'return [Fault("body", TEXT_FAULT)] if ESCAPED_NUL.search(text) else []',
        "return []",
        "tests/values/test_draft.py",
    ),
    Mutant(
        "a key publishes to whom it may not",
        "notiway/web/api.py",
        'if not _may(producer, "publish", parsed.audience.key):',
        'if not _may(producer, "publish", "global"):',
        "tests/web/test_api.py",
    ),
    Mutant(
        "a failed batch keeps its ids",
        "notiway/gateway/publish.py",
        "        runtime.seen_ids.forget(claimed)  # a second try must not find them taken\n",
        "",
        "tests/gateway/test_publish.py",
    ),
    Mutant(
        "a sender in a loop counts for another",
        "notiway/web/auth.py",
        'now.throttle.take("user", now.config.user_rate, user_id)',
        'now.throttle.take("user", now.config.user_rate, "")',
        "tests/web/test_user_rate.py",
    ),
)

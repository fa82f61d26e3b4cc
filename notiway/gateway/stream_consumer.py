"""Consumer: takes envelopes from a Redis Stream with a consumer group (Redis Streams, consumer groups)."""

from __future__ import annotations

import json
import logging
import os
import secrets
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import peewee
import redis

from notiway.gateway import envelope
from notiway.gateway.publish import publish_envelopes
from notiway.live.runtime import Runtime
from notiway.pausing import in_stretches
from notiway.store.database import db
from notiway.values.clock import now_ms
from notiway.values.errors import NotiwayError, WrongInput
from notiway.values.event import Event
from notiway.values.text import json_text
from notiway.verbs.events import noting_untold

log = logging.getLogger(__name__)

FIELD = b"envelope"  # of a stream entry: the JSON text
GROUP = "notiway"
PRODUCER = "stream"  # of envelopes whose metadata name none
BATCH = 500  # entries in one transaction
BLOCK_MS = 1_000  # how long a read waits for something new
CLAIM_AFTER_SECONDS = 30.0  # an entry that a consumer took so long ago is somebody else's now
CROWDED_SECONDS = 0.1  # between two looks whether Events can be delivered again
PAUSE_SECONDS = (0.5, 10.0)  # after a fault of Redis or the database: first, and at most
DEAD_SUFFIX = ":dead"
OWN = "0"  # XREADGROUP: what this consumer took and has not acknowledged
NEW = ">"

Entry = tuple[bytes, dict[bytes, bytes]]


@dataclass
class Tally:
    """What a consumer has done."""

    taken: int = 0
    duplicates: int = 0
    dead: int = 0


class Consumer:
    """One member of the group. Entries are acknowledged after the commit, so none is lost and none stored twice.

    An entry that was taken before and not acknowledged may be stored already, and told to nobody: it is told again. So
    one whose Event the queue did not take stays unacknowledged. While the queue takes nothing, entries are stored and
    the queue is asked again after a pause.

    >>> Consumer(runtime, "redis://localhost:6379/0", "notiway").run(lambda: False)  # doctest: +SKIP
    """

    def __init__(self, runtime: Runtime, url: str, stream: str, claim_after: float = CLAIM_AFTER_SECONDS) -> None:
        self._runtime = runtime
        self._redis = redis.Redis.from_url(url, protocol=2, socket_timeout=BLOCK_MS / 1000 + 10)
        self._stream = stream
        self._claim_after_ms = int(claim_after * 1000)
        self._name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
        self._next_claim = 0.0
        self._unfinished = True  # whether this consumer may have taken what it has not acknowledged
        self._silence = PAUSE_SECONDS[0]
        self._silent_until = 0.0  # of the monotonic clock
        self.tally = Tally()

    def run(self, is_stopped: Callable[[], bool]) -> Tally:
        """Consume until stopped. A fault of Redis or the database is waited out: nothing was acknowledged."""
        pause = PAUSE_SECONDS[0]
        while not is_stopped():
            try:
                self._join()
                while not is_stopped():
                    self._turn(OWN if self._unfinished and not self._is_silent() else NEW)
                    pause = PAUSE_SECONDS[0]
            except (redis.RedisError, OSError, peewee.PeeweeException):
                log.exception("taking from the stream failed; trying again in %.1f s", pause)
                self._unfinished = True
                time.sleep(pause)
                pause = min(pause * 2, PAUSE_SECONDS[1])
        self._leave()
        return self.tally

    def _join(self) -> None:
        try:
            self._redis.xgroup_create(self._stream, GROUP, id="0", mkstream=True)
        except redis.ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise

    def _leave(self) -> None:
        try:
            if not self._redis.xpending_range(self._stream, GROUP, "-", "+", 1, self._name):
                self._redis.xgroup_delconsumer(self._stream, GROUP, self._name)
        except redis.RedisError as error:
            log.warning("this consumer stays in the group: %s", error)

    def _is_silent(self) -> bool:
        return time.monotonic() < self._silent_until

    def _turn(self, after: str) -> None:
        """Take one batch, if there is one. What can wait in the stream stays there while Events wait for too long."""
        if self._runtime.is_crowded():
            time.sleep(CROWDED_SECONDS)
            return
        entries = self._claimed() if after == NEW and not self._is_silent() else []
        may_be_untold = bool(entries) or after == OWN
        if not entries:
            block = BLOCK_MS if after == NEW else None
            answer: Any = self._redis.xreadgroup(GROUP, self._name, {self._stream: after}, count=BATCH, block=block)
            entries = answer[0][1] if answer else []
        if entries:
            self._take(entries, may_be_untold)
        elif after == OWN:
            self._unfinished = False

    def _claimed(self) -> list[Entry]:
        """Entries that a dead consumer left behind; looked for once in a while."""
        now = time.monotonic()
        if now < self._next_claim:
            return []
        answer: Any = self._redis.xautoclaim(
            self._stream, GROUP, self._name, self._claim_after_ms, start_id="0-0", count=BATCH
        )
        entries: list[Entry] = [entry for entry in answer[1] if entry[1] is not None]
        if not entries:
            self._next_claim = now + self._claim_after_ms / 1000 / 2
        return entries

    def _take(self, entries: Sequence[Entry], may_be_untold: bool) -> None:
        good: list[envelope.Envelope] = []
        ids: list[bytes] = []
        dead: list[tuple[bytes, dict[bytes, bytes], str]] = []
        moment, kinds = now_ms(), self._runtime.kinds
        for entry_id, fields in in_stretches(entries):
            try:
                raw = _decoded(fields)
                # Whoever writes to the stream is trusted alike, so there the producer's name keeps ids apart.
                good.append(envelope.parse(raw, PRODUCER, moment, f"stream:{_label(raw)}", kinds))
                ids.append(entry_id)
            except NotiwayError as error:
                dead.append((entry_id, fields, str(error)))
        is_silent = self._is_silent()
        with noting_untold(silent=is_silent) as events, db.connection_context():
            outcomes = publish_envelopes(self._runtime, good, may_be_untold=may_be_untold)
        untold = {_key_of(event) for event in events}
        done = [not untold or _key(each) not in untold for each in good]
        if not is_silent:
            self._note_queue(len(untold))
        # What is stored nowhere would be taken for told the next time.
        self._runtime.seen_ids.forget(
            (each.draft.publisher, each.id)
            for each, is_done in zip(good, done, strict=True)
            if not (is_done or each.persisted)
        )
        self._unfinished = self._unfinished or bool(untold)
        told = [entry_id for entry_id, is_done in zip(ids, done, strict=True) if is_done]
        self._finish([*told, *(entry[0] for entry in dead)], dead)
        self.tally.taken += len(told)
        self.tally.duplicates += sum(
            outcome.duplicate for outcome, is_done in zip(outcomes, done, strict=True) if is_done
        )
        self.tally.dead += len(dead)

    def _note_queue(self, untold: int) -> None:
        """Leave a queue that takes nothing alone for a while, each time for longer."""
        if not untold:
            self._silence = PAUSE_SECONDS[0]
            return
        log.warning(
            "%d entries are stored but could not be told: they stay unacknowledged, and are told when the queue of"
            " background work is back. It is asked again in %.1f s; see that nothing keeps it locked",
            untold,
            self._silence,
        )
        self._silent_until = time.monotonic() + self._silence
        self._silence = min(self._silence * 2, PAUSE_SECONDS[1])

    def _finish(self, ids: Sequence[bytes], dead: Sequence[tuple[bytes, dict[bytes, bytes], str]]) -> None:
        """Acknowledge entries and put the broken ones aside, both or neither."""
        if not ids:
            return
        with self._redis.pipeline(transaction=True) as pipeline:
            for entry_id, fields, reason in dead:
                log.warning("entry %s goes to %s%s: %s", entry_id.decode(), self._stream, DEAD_SUFFIX, reason)
                aside = {"entry": entry_id, "reason": reason, **_held(fields)}
                pipeline.xadd(self._stream + DEAD_SUFFIX, aside)  # type: ignore[arg-type]
            pipeline.xack(self._stream, GROUP, *ids)
            pipeline.execute()


def _key(envelope: envelope.Envelope) -> tuple[str | None, str | None]:
    return envelope.draft.producer, envelope.id


def _key_of(event: Event) -> tuple[str | None, str | None]:
    """The same of what an Event tells."""
    told = event.data["notification"]
    return told["producer"], told["dedupe_key"]


def _label(raw: object) -> object:
    """What a good envelope calls its producer."""
    metadata = raw.get("metadata") if isinstance(raw, dict) else None
    return (metadata.get("producer") if isinstance(metadata, dict) else None) or PRODUCER


def _decoded(fields: dict[bytes, bytes]) -> object:
    if FIELD not in fields:
        raise WrongInput(f"The entry has no field {FIELD.decode()!r}")
    try:
        return json_text.read(fields[FIELD])
    except ValueError as error:
        raise WrongInput(f"The entry has no JSON in its field {FIELD.decode()!r}: {str(error)[:200]}") from None


def _held(fields: dict[bytes, bytes]) -> dict[str, bytes | str]:
    """What a broken entry held: its envelope, or all of its fields when it has none."""
    if FIELD in fields:
        return {"envelope": fields[FIELD]}
    return {"fields": json.dumps({_text(name): _text(value) for name, value in fields.items()})}


def _text(raw: bytes) -> str:
    return raw.decode(errors="backslashreplace")

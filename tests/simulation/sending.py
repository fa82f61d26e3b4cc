"""Sending: steps of applications and staff: send, roll back, recall, clean up."""

from __future__ import annotations

from typing import Any

from notiway.store import retention
from notiway.store.database import db
from notiway.values.audience import Audience
from notiway.values.clock import moment
from notiway.verbs import recall
from notiway.verbs.send import send_notification

from .audiences import BROADCASTS, OPEN_GROUP, USERS
from .choosing import somewhere
from .clock import MICRO, MILLI
from .sent import Sent
from .tasks import Crash, Undo
from .world import WIRES, World


def sent(world: World, audience: str, users: tuple[str, ...] = (), **values: Any) -> Sent:
    """Take note of what is about to be sent, under a title of its own."""
    title = f"n{len(world.sent)}"
    if world.chance.random() < 0.06:
        wire = world.chance.choice(WIRES)
        title += f" breaks-{wire}"
        values["breaks"] = frozenset([wire])
        world.age_counts()  # the count that its Event carries is lost with it
    note = Sent(title, audience, frozenset(users), world.clock.us, world.clock.now_ms(), **values)
    world.sent[title] = note
    return note


def deliver(world: World, note: Sent, to: Any, **options: Any) -> None:
    """The verb itself, and its id."""
    world.trace("  send %s to %s %s", note.title, note.audience, options or "")
    try:
        row = send_notification(to, note.title, **options)
    except Crash:
        world.titles_lost.add(note.title)
        raise
    note.id = str(row.id)
    note.public_id = str(row.dedupe_key or row.id)
    world.by_id[note.id] = note


def send(world: World, audience: str, users: tuple[str, ...] = (), **options: Any) -> None:
    process = somewhere(world)
    if process is None:
        return
    note = sent(world, audience, users, replaces="replaces" in options, is_kept=options.get("persist", True))
    if world.chance.random() < 0.15 and note.is_kept:
        seconds = world.chance.choice((2, 20, 200))
        note.ends_ms = world.clock.now_ms() + seconds * 1_000
        options["expires_at"] = moment(note.ends_ms)
        world.at(seconds * MICRO - world.clock.us % MILLI, expired, world)  # at the beginning of that millisecond
    if world.chance.random() < 0.2:
        options["dedupe_key"] = f"key-{note.title.split()[0]}"
    to: Any = list(users) if users else Audience.parse(audience)
    process.do(lambda: deliver(world, note, to, **options))


def expired(world: World) -> None:
    world.age_counts()


def send_to_one(world: World) -> None:
    user = world.chance.choice(USERS)
    send(world, f"user:{user}", (user,))


def send_to_several(world: World) -> None:
    send(world, "users", tuple(world.chance.sample(USERS, 2)))


def broadcast(world: World) -> None:
    audience = world.chance.choice(BROADCASTS)
    if audience == f"group:{OPEN_GROUP}" and _has_devices_elsewhere(world, audience):
        world.age_counts()  # each process tells those who listen there; the heartbeat tells the others
    send(world, audience)


def _has_devices_elsewhere(world: World, audience: str) -> bool:
    """Whether somebody listens in one process and has a device in another."""
    here = {(each.user, each.process) for each in world.clients if each.process and each.wishes.get(audience)}
    return any(
        each.user == user and each.process is not process and each.process
        for user, process in here
        for each in world.clients
    )


def send_unstored(world: World) -> None:
    user = world.chance.choice(USERS)
    options: dict[str, Any] = {"persist": False}
    if world.chance.random() < 0.5:
        options["replaces"] = "job"
    send(world, f"user:{user}", (user,), **options)


def roll_back(world: World) -> None:
    """A transaction that sends and is undone, as a whole or a savepoint of it."""
    process = somewhere(world)
    if process is None:
        return
    user = world.chance.choice(USERS)
    undone = sent(world, "global")
    undone.is_undone = True
    kept = sent(world, f"user:{user}", (user,)) if world.chance.random() < 0.5 else None

    def work() -> None:
        with db.atomic():
            if kept is not None:
                deliver(world, kept, user)
            try:
                with db.atomic():
                    deliver(world, undone, Audience.everyone())
                    raise Undo
            except Undo:
                if kept is None:
                    raise

    process.do(work)


def take_back(world: World) -> None:
    process = somewhere(world)
    stored = [note for note in world.by_id.values() if note.is_kept and not note.is_undone]
    if process is None or not stored:
        return
    by_wish = [note for note in stored if note.audience.startswith("group:open")]
    note = world.chance.choice(by_wish if by_wish and world.chance.random() < 0.6 else stored)
    world.trace("  recall %s", note.title)
    process.do(lambda: recall.recall(note.id, by="staff"))


def clean(world: World) -> None:
    process = somewhere(world)
    if process is None:
        return
    oldest = world.clock.now_ms() - world.chance.choice((1_000, 20_000, 60_000))
    world.trace("  clean up what is older than %d", oldest)
    world.age_counts()
    world.titles_removed |= {note.title for note in world.sent.values() if note.at_ms <= oldest}

    def work() -> None:
        now = world.clock.now_ms()
        retention.clean_up((now - oldest) / 86_400_000, now=now)
        world.age_counts()

    process.do(work)

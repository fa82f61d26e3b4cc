"""Steps: what may happen next. Each takes the world, draws what it needs, and starts it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from notiway.store import retention
from notiway.store.database import db
from notiway.values.audience import Audience
from notiway.values.clock import moment
from notiway.verbs import items, membership, recall
from notiway.verbs.send import send_notification
from notiway.verbs.sign_out import sign_out

from .audiences import BROADCASTS, MEMBERS_ONLY, OPEN_GROUP, USERS
from .client import Client
from .clock import MICRO
from .process import Process
from .sent import Sent
from .tasks import Crash, Undo
from .world import WIRES, World

Step = Callable[[World], None]


def next_step(world: World) -> None:
    """Draw a step and take it."""
    step: Step = world.chance.choices(STEPS, WEIGHTS)[0]
    world.trace("%s", step.__name__.strip("_"))
    step(world)


def somewhere(world: World) -> Process | None:
    found = list(world.processes.values())
    return world.chance.choice(found) if found else None


def a_client(world: World, *wires: str) -> Client | None:
    found = [each for each in world.clients if each.is_open and (not wires or each.wire in wires)]
    return world.chance.choice(found) if found else None


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
        world.at(seconds * MICRO, expired, world)
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
    send(world, world.chance.choice(BROADCASTS))


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
    note = world.chance.choice(stored)
    world.trace("  recall %s", note.title)
    process.do(lambda: recall.recall(note.id, by="staff"))


def change(world: World) -> None:
    """A user reads, unreads or deletes something on one device."""
    client = a_client(world)
    if client is None:
        return
    keys = [key for key, row in client.rows.items() if row.is_kept and row.title]
    if not keys:
        return
    key = world.chance.choice(keys)
    note = world.sent[client.rows[key].title]
    kind = world.chance.choice(("read", "read", "unread", "delete"))
    item_id = world.id_of(note.title)
    world.trace("  %s: %s %s", client.name, kind, note.title)
    if kind == "delete":
        world.deleted.append((client.user, item_id))
    if client.wire == "signalr" and kind != "unread":
        audience, _, public_id = key.partition(" ")
        client.invoke("MarkAsRead" if kind == "read" else "MarkAsDeleted", audience, public_id)
    elif client.wire == "json":
        action = {"read": "markAsRead", "unread": "markAsUnread", "delete": "delete"}[kind]
        client.say({"action": action, "notificationId": item_id})
    elif (process := somewhere(world)) is not None:
        verb = {"read": items.mark_read, "unread": items.mark_unread, "delete": items.delete}[kind]
        process.do(lambda: verb(client.user, [item_id]))


def undo_delete(world: World) -> None:
    process = somewhere(world)
    if process is None or not world.deleted:
        return
    user, item_id = world.chance.choice(world.deleted)
    note = world.note_of(item_id)
    note.was_restored = True
    world.titles_restored.add(note.title)
    world.trace("  %s restores %s", user, note.title)
    process.do(lambda: items.restore(user, [item_id]))


def mark_all(world: World) -> None:
    client = a_client(world)
    process = somewhere(world)
    if client is None or process is None:
        return
    kept = sorted(world.id_of(row.title) for row in client.rows.values() if row.is_kept and row.title)
    before = world.chance.choice(kept) if kept and world.chance.random() < 0.6 else None
    world.trace("  %s marks all read%s", client.user, f" up to {world.note_of(before).title}" if before else "")
    if client.wire == "json" and world.chance.random() < 0.5:
        client.say({"action": "markAllAsRead", "before": before})
    else:
        process.do(lambda: items.mark_all_read(client.user, before))


def join_or_leave(world: World) -> None:
    process = somewhere(world)
    if process is None:
        return
    user, key = world.chance.choice(USERS[:2]), world.chance.choice(MEMBERS_ONLY)
    audience = Audience.parse(key)
    leaves = world.is_member(user, key) and world.chance.random() < 0.6
    world.trace("  %s %s %s", user, "leaves" if leaves else "joins", key)
    world.ever.add((user, key))

    def work() -> None:
        if leaves:
            membership.leave(user, audience)
        else:
            membership.join(user, audience)

    def settled() -> None:
        arrived(world, user, key)  # before too: its process may crash after the commit
        work()
        arrived(world, user, key)

    process.do(settled)


def arrived(world: World, user: str, audience: str) -> None:
    """What stood for this audience is in the user's inbox now, and no device is told of the items."""
    world.joined_at[user, audience] = world.clock.us
    world.silent.add((user, audience))


def subscribe(world: World) -> None:
    client = a_client(world, "json", "signalr")
    if client is None:
        return
    wanted = world.chance.choice(((True,), (False,), (False, True), (True, False, True), (True, False, True)))
    world.trace("  %s: subscribe %s", client.name, wanted)
    for each in wanted:
        if each:
            world.ever.add((client.user, f"group:{OPEN_GROUP}"))
            arrived(world, client.user, f"group:{OPEN_GROUP}")
            world.age_counts()
        client.subscribe(OPEN_GROUP, each)


def ping(world: World) -> None:
    client = a_client(world, "json")
    if client is not None:
        client.say({"action": "ping"})


def cut(world: World) -> None:
    client = a_client(world)
    if client is not None:
        client.cut()


def stall(world: World) -> None:
    """A client stops to read, or goes on."""
    stalled = [client for client in world.clients if client.is_stalled]
    if stalled and world.chance.random() < 0.6:
        world.chance.choice(stalled).is_stalled = False
    elif (client := a_client(world)) is not None:
        world.trace("  %s stalls", client.name)
        client.is_stalled = True


def crash(world: World) -> None:
    process = somewhere(world)
    if process is not None:
        world.crash(process)


def restart(world: World) -> None:
    process = somewhere(world)
    if process is not None and not process.is_leaving:
        world.trace("  %s leaves", process.name)
        world.leave(process)


def sign_out_user(world: World) -> None:
    online = [each for each in world.clients if each.line is not None]
    process = somewhere(world)
    if not online or process is None:
        return
    client = world.chance.choice(online)
    if not process.is_leaving and world.chance.random() < 0.5:
        client.cut()
        client.connect(process)  # and while it joins, its user signs out
        world.work(world.chance.randrange(12))
    session = client.session if world.chance.random() < 0.6 else None
    world.trace("  %s signs out %s", client.user, session or "everywhere")
    ended = [client] if session else [each for each in world.clients if each.user == client.user]

    def work() -> None:
        for each in ended:
            each.is_signed_out = True
        sign_out(client.user, session)

    process.do(work)


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


def wait(world: World) -> None:
    longest = world.chance.choices((100_000, 1_500_000, 9_000_000, 70_000_000), (5, 4, 2, 1))[0]
    us = world.chance.randrange(longest)
    world.trace("  %.3f s pass", us / MICRO)
    world.advance(us)


STEPS: tuple[Step, ...] = (
    send_to_one, send_to_several, broadcast, send_unstored, roll_back, take_back, change, undo_delete, mark_all,
    join_or_leave, subscribe, ping, cut, stall, crash, restart, sign_out_user, clean, wait,
)  # fmt: skip
WEIGHTS = (14, 3, 14, 2, 2, 2, 12, 3, 3, 3, 5, 1, 7, 3, 1, 0.7, 2, 0.7, 14)

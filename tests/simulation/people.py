"""People: steps of users on their devices: read, delete, subscribe, join, sign out."""

from __future__ import annotations

from notiway.store.search.filters import Filters
from notiway.values.audience import Audience
from notiway.verbs import items, membership
from notiway.verbs.sign_out import sign_out

from .audiences import MEMBERS_ONLY, OPEN_GROUP, USERS
from .choosing import a_client, somewhere
from .world import World


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
    if not world.is_known(item_id):  # it was cleaned up, or undone
        return
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
    shown = (world.id_of(row.title) for row in client.rows.values() if row.is_kept and row.title)
    kept = sorted(filter(world.is_known, shown))
    before = world.chance.choice(kept) if kept and world.chance.random() < 0.6 else None
    if world.chance.random() < 0.25:
        text = world.chance.choice(("n1", "n2", "breaks", ""))
        world.trace("  %s marks read what has %r in it", client.user, text)
        process.do(lambda: items.mark_matching_read(client.user, Filters(text=text), before))
        return
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
            for sent in world.sent.values():  # it is told as what stands there, not as news
                sent.was_restored |= sent.audience == key
            membership.join(user, audience)

    def settled() -> None:
        arrived(world, user, key)  # before too: its process may crash after the commit
        work()
        arrived(world, user, key)

    process.do(settled)


def arrived(world: World, user: str, audience: str) -> None:
    """What stood for this audience is in the user's inbox now.

    Who joins is told on all open devices, unless the Event is lost. Who subscribes, on that device only.
    """
    world.joined_at[user, audience] = max(world.clock.us, world.joined_at.get((user, audience), 0))
    if not world.is_calm or audience not in MEMBERS_ONLY:
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
        if world.processes.get(process.slot.number) is not process:
            return  # it crashed meanwhile: nobody is there to sign out
    session = client.session if world.chance.random() < 0.6 else None
    world.trace("  %s signs out %s", client.user, session or "everywhere")
    ended = [client] if session else [each for each in world.clients if each.user == client.user]

    def work() -> None:
        for each in ended:
            each.is_signed_out = True
            world.ended_sessions.add(each.session)
        sign_out(client.user, session)

    process.do(work)

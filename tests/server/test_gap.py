"""Nothing is lost between page and socket, nor while a client is away (`?since=`)."""

import threading

import pytest
from websockets.exceptions import ConnectionClosed

from server.talk import burst, inbox, listen

ROUNDS = 12
MANY = 1_005  # several pages of a replay


def ids_of(messages):
    return [message["data"]["id"] for message in messages if message["event"] == "notification"]


def test_what_came_since_is_sent_oldest_first_and_before_anything_live(ada):
    ids = burst(ada, 5)
    with listen(ada, since=ids[1]) as tab:
        live = ada.notify("Live")["id"]
        assert tab.hear_news(ids[:2], 4) == [*ids[2:], live]


def test_a_page_that_showed_nothing_gets_everything(ada):
    ids = burst(ada, 2)
    with listen(ada, since="") as tab:
        assert [tab.hear_only("notification")["id"] for _ in range(2)] == ids


@pytest.mark.parametrize("query", [{}, {"since": "nonsense"}, {"since": "' OR 1=1 --"}])
def test_without_a_usable_since_nothing_old_is_sent(ada, query):
    burst(ada, 2)
    with listen(ada, **query) as tab:
        assert tab.connected["unreadCount"] == 2
        assert tab.ask("ping")["event"] == "pong"


def test_what_was_read_elsewhere_meanwhile_comes_as_read_and_what_was_deleted_not_at_all(ada):
    first, second, third = burst(ada, 3)
    ada.put(f"/notifications/{second}/read")
    ada.delete(f"/notifications/{third}")
    with listen(ada, since=first) as tab:
        assert tab.connected["unreadCount"] == 1
        heard = tab.hear_only("notification")
        assert (heard["id"], heard["read"]) == (second, True)
        assert tab.ask("ping")["event"] == "pong"


def test_the_since_of_another_user_shows_nothing_of_theirs(ada, bob):
    theirs = burst(bob, 2)
    mine = burst(ada, 1)
    with listen(ada, since=theirs[0]) as tab:
        assert tab.hear_only("notification")["id"] == mine[0]
        assert tab.ask("ping")["event"] == "pong"


def test_nothing_is_lost_while_notifications_are_sent_during_the_connecting(ada):
    sent = []
    over = threading.Event()
    poster = ada.site.sign_in(ada.email)

    def publish():
        while not over.is_set():
            sent.extend(burst(poster, 10))

    thread = threading.Thread(target=publish)
    newest = ada.notify("The newest on the page")["id"]
    thread.start()
    seen = set()
    try:
        for _ in range(ROUNDS):
            with listen(ada, since=newest) as tab:
                # Some of the past, some that was held, some live.
                heard = ids_of(tab.hear_all(until=lambda message: message["event"] == "notification"))
                heard += ids_of(tab.hear() for _ in range(5))
            assert heard == sorted(set(heard)), "in order, each once"
            seen |= set(heard)
            newest = max(newest, heard[-1])
    finally:
        over.set()
        thread.join()
        poster.close()
    with listen(ada, since=newest) as tab:
        while len(seen) <= len(sent):  # and the newest on the page
            heard = tab.hear_only("notification")["id"]
            assert heard in sent or heard in seen
            seen.add(heard)
            if seen >= set(sent):
                break
    assert seen >= set(sent), "everything"


def test_a_very_long_absence_is_made_up_for_page_by_page_and_what_comes_meanwhile_follows(site, visitor):
    first = visitor.notify("Before")["id"]
    sent = burst(visitor, MANY)
    with listen(visitor, since=first) as tab:
        live = visitor.notify("Live")["id"]
        assert [tab.hear_only("notification")["id"] for _ in range(MANY + 1)] == [*sent, live]


def test_a_killed_and_restarted_server_gives_everything_missed_once_it_has_dropped_what_it_knows(start):
    site = start()
    with site.sign_in() as demo:
        demo.site = site
        sent = []
        with listen(demo) as tab:
            sent += [demo.notify(f"Heard {number}")["id"] for number in range(3)]
            heard = [tab.hear_only("notification")["id"] for _ in range(3)]
            site.kill()
            with pytest.raises(ConnectionClosed):
                tab.hear()
        site.start()
        sent += [demo.notify(f"Missed {number}")["id"] for number in range(3)]
        with listen(demo, since=heard[-1]) as tab:
            assert tab.connected["unreadCount"] == 6
            sent.append(demo.notify("Live again")["id"])
            heard += tab.hear_news(heard[:], 4)
            assert tab.ask("ping")["event"] == "pong"
        assert heard == sent
        assert [item["id"] for item in inbox(demo)[0]] == sent[::-1]

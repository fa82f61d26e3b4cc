"""No envelope that is taken cuts anybody off, and a refused one harms no neighbour."""

import pytest
from clients.producer import Producer, token

from chaos.bystander import standing_by
from chaos.load import ApiSender, envelope, new_mark
from chaos.screens import screens, settle

MOMENTS = [
    "9999-12-31T23:59:59.9999999+00:00",
    "9999-12-31T23:59:59-05:00",
    "9998-12-31T23:59:59Z",
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "1969-12-31T23:59:59Z",
]
DEPTHS = [31, 32, 33, 470, 472, 494, 900]


def nested(depth):
    value = {}
    for _ in range(depth - 1):
        value = {"in": value}
    return value


def odd(to):
    """Envelopes at the edge of what is allowed, and beyond."""
    for name in ("persistedTTL", "timeStamp"):
        for moment in MOMENTS:
            made = envelope(new_mark("odd"), to)
            made["metadata"][name] = moment
            yield made
    for depth in DEPTHS:
        yield envelope(new_mark("odd"), to, deep=nested(depth - 1))
    for text in ("\x00", "\ud800", "\u2028", "x" * 32_000, "x" * 33_000):
        yield envelope(new_mark("odd"), to, text=text)


@pytest.mark.parametrize("audience", ["user:poisoned", "global"])
def test_odd_envelopes_among_good_ones(ledger, start, audience):
    site = start()
    producer = Producer(site)
    sender = ApiSender(producer, ledger, audience, batch=1)
    taken, refused = 0, 0
    with standing_by(site, ledger), screens(site, ledger, token(site, "poisoned")) as opened:
        for each in odd(audience):
            good = envelope(new_mark("neighbour"), audience)
            ledger.note_sent(each["body"]["title"], good["body"]["title"])
            answer = producer.post("/api/notifications", [each, good])
            if answer.status_code == 400:  # nothing of it can be read as JSON
                refused += 1
                continue
            assert answer.ok, answer.text
            said, neighbour = answer.json()
            assert neighbour["persisted"], "the neighbour is taken"
            ledger.note_acknowledged(good["body"]["title"])
            if "error" in said:
                assert said["error"]["code"] in ("WrongInput", "TooLarge"), said
                assert said["error"]["fields"], said
                refused += 1
            else:
                ledger.note_acknowledged(each["body"]["title"])
                taken += 1
        for screen in opened:
            screen.blink()
        with screens(site, ledger, token(site, "poisoned"), apart=True):  # who comes now and wants everything
            for screen in opened:
                screen.wake()
            sender.once()
            settle(site, ledger)
    ledger.remarks |= {"taken": taken, "refused_as_wrong": refused}
    ledger.check()
    assert taken
    assert refused

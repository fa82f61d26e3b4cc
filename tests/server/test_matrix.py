"""Every audience on every wire, kept or not: who it is for gets it exactly once, nobody else ever.

With one process, and with clients spread over three that share a Redis.
"""

import itertools
from contextlib import ExitStack, closing

import pytest
from clients.producer import Producer, envelope, join, token
from clients.wires import Ear

from notiway.values.clock import now_ms
from notiway.values.ids import id_floor

WIRES = ("html", "json", "sse", "signalr")
# Two tenants with a group of the same name, beside one of that name in no tenant.
MEMBERS = {
    "ann": ("tenant:acme", "group:ops", "group:acme:ops"),
    "bea": ("tenant:globex", "group:globex:ops"),
    "cyd": (),
}
REACHES = {
    "global": {"ann", "bea", "cyd"},
    "tenant:acme": {"ann"},
    "tenant:globex": {"bea"},
    "tenant:nowhere": set(),
    "group:ops": {"ann"},
    "group:acme:ops": {"ann"},
    "group:globex:ops": {"bea"},
    "group:nowhere:ops": set(),
    "user:matrix-ann": {"ann"},
    "user:matrix-nobody": set(),
}
HOUR_MS = 3_600_000
MARK = r"mark-\d+-here"
numbers = itertools.count(1)


@pytest.fixture(scope="module", params=["one worker", "three workers"])
def matrix_site(make_site, request):
    site = make_site().start() if request.param == "one worker" else request.getfixturevalue("several")
    for name, audiences in MEMBERS.items():
        join(site, f"matrix-{name}", *audiences)
    return site


@pytest.fixture(scope="module")
def producer(matrix_site):
    return Producer(matrix_site)


@pytest.fixture(scope="module")
def ears(matrix_site):
    """A connection of each user on each wire."""
    with ExitStack() as doors:
        yield {
            (name, wire): doors.enter_context(closing(Ear(matrix_site, wire, token(matrix_site, f"matrix-{name}"))))
            for name in MEMBERS
            for wire in WIRES
        }


def heard(ears, producer, audience, persisted):
    """Publish one, and which clients heard it how often."""
    mark = f"mark-{next(numbers)}-here"
    producer.publish(audience, "matrix", {"title": mark}, persisted)
    fence = f"fence-{mark}"
    producer.publish("global", "fence", {"title": fence})
    found = {place: ear.marks(MARK, fence) for place, ear in ears.items()}
    assert {each for marks in found.values() for each in marks} <= {mark}
    return {place: len(marks) for place, marks in found.items() if marks}


@pytest.mark.parametrize("persisted", [True, False], ids=["persisted", "passing"])
@pytest.mark.parametrize("audience", REACHES)
def test_it_reaches_whom_it_is_for_once_on_every_wire(ears, producer, audience, persisted):
    expected = {(name, wire): 1 for name in REACHES[audience] for wire in WIRES}
    assert heard(ears, producer, audience, persisted) == expected


@pytest.mark.parametrize("wire", WIRES)
def test_a_connection_is_reached_alone(ears, producer, wire):
    assert heard(ears, producer, f"connection:{ears['ann', wire].connection_id}", False) == {("ann", wire): 1}


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("name", MEMBERS)
def test_what_was_kept_is_replayed_to_whom_it_is_for_once(matrix_site, producer, name, wire):
    kept, passing = ({audience: f"mark-{next(numbers)}-here" for audience in REACHES} for _ in range(2))
    producer.send(*(envelope(audience, "matrix", {"title": mark}, True) for audience, mark in kept.items()))
    producer.send(*(envelope(audience, "matrix", {"title": mark}) for audience, mark in passing.items()))
    # Who resumes names what it saw last: here an hour ago.
    resume = {"sse": "lastEventId", "json": "since", "html": "since"}.get(wire)
    query = {resume: id_floor(now_ms() - HOUR_MS)} if resume else {}
    with closing(Ear(matrix_site, wire, token(matrix_site, f"matrix-{name}"), **query)) as ear:
        fence = f"fence-{wire}-{name}"
        producer.publish("global", "fence", {"title": fence})
        marks = ear.marks(MARK, fence)
    assert [each for each in marks if each in kept.values()] == [
        kept[each] for each in REACHES if name in REACHES[each]
    ]
    assert not set(passing.values()) & set(marks)
    assert len(marks) == len(set(marks)), "nothing twice"

"""Counts: what a connection was told last is remembered, unless something goes ahead of it."""

from pair import counts as counts_in
from pair import make_pair

from notiway.live.delivery import counts
from notiway.values.count import Count


def test_a_count_is_told_and_remembered(speech):
    pairs = [make_pair(speech) for _ in range(3)]
    for connection, _ in pairs:
        connection.release([])
    counts.offer([connection for connection, _ in pairs], Count(7, as_of=1))
    assert [counts_in(client, 1) for _, client in pairs] == [[7]] * 3
    assert [connection.told for connection, _ in pairs] == [7] * 3
    for connection, client in pairs:
        connection.lost()
        client.close()


def test_a_count_that_is_held_comes_behind_others_so_it_is_not_known(speech):
    connection, client = make_pair(speech)
    counts.offer([connection], 7)
    connection.release([speech.badge(3)], Count(3, as_of=1))
    assert counts_in(client, 2) == [3, 7]
    assert connection.told is None
    connection.lost()
    client.close()

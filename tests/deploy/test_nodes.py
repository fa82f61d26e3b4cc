"""Three nodes behind nginx: none works for what it has no listeners for, work is divided, restarts lose nothing."""

import pytest
from chaos.ledger import Ledger
from servers import redis_server

from deploy.figures import capacity, rolling_restart, silence
from deploy.nodes import nodes

pytestmark = [pytest.mark.server, pytest.mark.redis, pytest.mark.postgresql]
NODES = 3
SENDS = 60


@pytest.fixture(scope="module")
def made(postgres, tmp_path_factory):
    with redis_server() as url, nodes(tmp_path_factory.mktemp("nodes"), NODES, postgres, url) as made:
        yield made


def test_a_node_without_listeners_hears_nothing_of_what_others_deliver(made):
    listening, _, third = silence(made, listeners=3, sends=SENDS).shares
    assert listening.events >= SENDS
    assert third.events == 0


def test_a_broadcast_is_one_event_for_each_node_and_a_send_to_one_user_is_one_for_one_node(made):
    done = capacity(made, listeners=9, broadcasts=4, sends=SENDS)
    assert [share.created for share in done["broadcasts"].shares] == [4] * NODES
    assert [share.created for share in done["stored sends"].shares] == [SENDS / NODES] * NODES


def test_all_nodes_are_restarted_in_turn_under_load(made, record_property):
    ledger = Ledger("rolling restart of three nodes")
    opened = rolling_restart(made, ledger, each_wire=2, acknowledged=10)
    record_property("ledger", ledger.figures())
    ledger.check()
    assert all(screen.connects > 1 for screen in opened), "each of them lost its node"
    assert {screen.last_code for screen in opened if screen.wire in ("json", "html")} == {1012}

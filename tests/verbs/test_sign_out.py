"""Signing out: of one session its sockets close; of all of them client tokens end too."""

import pytest

from notiway.store.credentials import tokens
from notiway.store.database import db
from notiway.values.clock import now_ms
from notiway.verbs.sign_out import sign_out


def test_one_session_is_kicked_and_no_token_ends(broker):
    sign_out("ada", "tab-1")
    assert [(event.audience, event.data["session"]) for event in broker.events] == [("user:ada", "tab-1")]
    assert tokens.ended_at("ada") == 0


def test_everywhere_kicks_all_and_ends_every_token_so_far(broker):
    before = now_ms()
    sign_out("ada")
    assert [(event.audience, event.data["session"]) for event in broker.events] == [("user:ada", None)]
    assert before <= tokens.ended_at("ada") <= now_ms()


@pytest.mark.parametrize("session", [None, "a-session"])
def test_inside_a_transaction_nobody_is_kicked_before_the_commit(broker, session):
    with db.atomic():
        sign_out("ada", session)
        assert broker.events == []
    assert len(broker.events) == 1
    with pytest.raises(RuntimeError), db.atomic():
        sign_out("bob", session)
        raise RuntimeError
    assert len(broker.events) == 1
    assert tokens.ended_at("bob") == 0


@pytest.mark.parametrize("session", [None, "a-session"])
def test_signing_out_does_not_fail_when_the_broker_is_down(broker, caplog, session):
    broker.fault = ConnectionRefusedError("no broker")
    sign_out("ada", session)
    assert "the broker did not take 1 events" in caplog.text

"""Signing out: every process closes the sockets of that session."""

import pytest

from notiway.verbs.sign_out import sign_out


@pytest.mark.parametrize("session", [None, "a-session"])
def test_a_sign_out_is_told_to_every_process(session, broker):
    sign_out("ada", session)
    (event,) = broker.events
    assert (event.kind, event.audience, event.data) == ("kick", "user:ada", {"session": session, "code": 4009})


def test_signing_out_does_not_fail_when_the_broker_is_down(broker, caplog):
    broker.fault = ConnectionRefusedError("no broker")
    sign_out("ada")
    assert "the broker did not take an event" in caplog.text

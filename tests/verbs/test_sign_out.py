"""Signing out: of one session its sockets close; of all of them client tokens end too."""

import pytest
from fresh import verbs

from notiway.store import token_ends
from notiway.store.database import db
from notiway.values.clock import now_ms
from notiway.verbs.sign_out import sign_out


@pytest.fixture(autouse=True)
def notebook(tmp_path):
    with verbs(tmp_path) as published:
        yield published


def test_one_session_is_kicked_and_no_token_ends(notebook):
    sign_out("ada", "tab-1")
    assert [(event.audience, event.data["session"]) for event in notebook.events] == [("user:ada", "tab-1")]
    assert token_ends.ended_at("ada") == 0


def test_everywhere_kicks_all_and_ends_every_token_so_far(notebook):
    before = now_ms()
    sign_out("ada")
    assert [(event.audience, event.data["session"]) for event in notebook.events] == [("user:ada", None)]
    assert before <= token_ends.ended_at("ada") <= now_ms()


def test_inside_a_transaction_nobody_is_kicked_before_the_commit(notebook):
    with db.atomic():
        sign_out("ada")
        assert notebook.events == []
    assert len(notebook.events) == 1
    with pytest.raises(RuntimeError), db.atomic():
        sign_out("bob")
        raise RuntimeError
    assert len(notebook.events) == 1
    assert token_ends.ended_at("bob") == 0

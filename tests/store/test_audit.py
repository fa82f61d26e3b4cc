"""The audit log: no act of staff without its row, and no row without its act."""

import pytest
from fresh import verbs

from notiway.store import audit
from notiway.store.database import db
from notiway.verbs import staff


@pytest.fixture(autouse=True)
def broker(place):
    with verbs(place) as notebook:
        yield notebook


def test_a_row_is_written_inside_a_transaction_only():
    with pytest.raises(RuntimeError, match="transaction"):
        audit.record("ada", "send", "global")
    with db.atomic():
        audit.record("ada", "send", "global", details={"title": "Hi"})
    assert [entry.details for entry in audit.sends()] == [{"title": "Hi"}]


def test_the_log_is_paged_newest_first():
    sent = [staff.send("ada", ["bob"], f"Number {number}")[0].id for number in range(5)]
    first = audit.sends(limit=2)
    assert [entry.id for entry in first] == sent[:2:-1]
    assert [entry.id for entry in audit.sends(before=first[-1].id, limit=9)] == sent[2::-1]

"""The audit log: no act of staff without its row, and no row without its act."""

import pytest
from fresh import verbs

from notiway.store import audit
from notiway.store.database import db
from notiway.verbs import items, staff


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


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("walk", "count"), [(1, 5), (2, 3), (5_000, 2)])
def test_readers_are_counted_in_parts_by_an_index(monkeypatch, walk, count):
    monkeypatch.setattr(audit, "READERS_WALK", walk)
    one, _ = staff.send("ada", ["bob", "cy"], "One")
    two, _ = staff.send("ada", ["bob"], "Two")
    items.mark_seen("bob", [one.notification_id])
    items.mark_read("cy", [one.notification_id])
    ids = [one.notification_id, two.notification_id]
    assert audit.readers(ids) == {ids[0]: (2, 1), ids[1]: (0, 0)}
    assert audit.readers([]) == {}
    statements = []
    monkeypatch.setattr(
        audit, "run", lambda text, params: statements.append((text, params)) or db.execute_sql(text, params)
    )
    audit.readers(ids)
    assert len(statements) == count
    for text, params in statements:
        plan = str(db.execute_sql(f"EXPLAIN QUERY PLAN {text}", params).fetchall())
        assert "notification_id=? AND user_id>?" in plan
        assert "notiway_inbox_item_notification_id" in plan
        assert "TEMP B-TREE" not in plan

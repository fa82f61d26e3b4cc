"""Pending: calls wait for the outermost commit of a session, and go with the savepoint that they were made in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

from notiway.store.session.pending import KEY, promise


@pytest.fixture
def session() -> Iterator[Session]:
    engine = create_engine("sqlite://")
    with Session(engine) as opened:
        yield opened
    engine.dispose()


def test_calls_are_made_in_order_and_a_fault_holds_up_no_other(
    session: Session, caplog: pytest.LogCaptureFixture
) -> None:
    made: list[int] = []
    promise(session, [lambda: made.append(1), lambda: made.append(1 // 0), lambda: made.append(2)])
    assert made == []
    session.commit()
    assert made == [1, 2]
    assert "ZeroDivisionError" in caplog.text
    session.commit()
    assert made == [1, 2]


def test_a_call_may_use_the_session_again(session: Session) -> None:
    found: list[int] = []
    promise(session, [lambda: found.append(session.execute(text("SELECT 7")).scalar_one())])
    session.commit()
    assert found == [7]


def test_calls_of_a_savepoint_that_is_released_wait_on_and_those_of_one_rolled_back_are_gone(session: Session) -> None:
    made: list[str] = []
    with session.begin_nested():
        promise(session, [lambda: made.append("released")])
        inner = session.begin_nested()
        promise(session, [lambda: made.append("undone")])
        inner.rollback()
    assert made == []
    session.commit()
    assert made == ["released"]


def test_a_session_without_promises_is_left_as_it_is(session: Session) -> None:
    promise(session, [])
    session.execute(text("SELECT 1"))
    session.commit()
    assert "info" not in vars(session)
    promise(session, [str])
    session.rollback()
    assert KEY not in session.info

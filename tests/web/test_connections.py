"""Each application context closes the database connection that it opened, and no other."""

import logging

import pytest

from notiway.store.database import db
from notiway.store.tables import Notification
from notiway.values.audience import Audience
from notiway.verbs.send import send_notification


def test_a_context_closes_what_it_opened(app):
    with app.app_context():
        Notification.select().count()
        assert not db.is_closed()
    with app.app_context():
        assert db.is_closed()


def test_a_context_inside_another_leaves_the_outer_ones_connection_open(app):
    with app.app_context():
        connection = db.connection()
        with app.app_context():
            assert db.connection() is connection
        assert not db.is_closed()
        assert db.connection() is connection
    with app.app_context():
        assert db.is_closed()


def test_a_context_inside_a_transaction_rolls_nothing_back(app, user):
    with app.app_context(), db.atomic():
        send_notification(user.id, "Kept")
        with app.app_context():
            send_notification(user.id, "Kept too")
        with app.test_request_context():
            pass
    with app.app_context():
        assert Notification.select().count() == 2
        assert db.connection() is not None


@pytest.mark.usefixtures("rows")
def test_a_connection_that_was_opened_before_any_context_stays_open(app):
    db.connect()
    with app.app_context():
        Notification.select().count()
    assert not db.is_closed()


def test_a_transaction_that_outlives_its_context_is_named_and_left_alone(app, caplog):
    transaction = db.atomic()
    with caplog.at_level(logging.WARNING), app.app_context():
        transaction.__enter__()
        Notification.create(id="x", audience=Audience.everyone().key, title="Kept")
    assert "transaction" in caplog.text
    transaction.__exit__(None, None, None)
    assert Notification.select().count() == 1
    db.close()


def test_after_a_fault_in_a_view_nothing_stays_open(make_app):
    app = make_app(TESTING=False)

    def broken():
        db.connect(reuse_if_open=True)
        raise ZeroDivisionError

    app.add_url_rule("/broken", view_func=broken)
    assert app.test_client().get("/broken").status_code == 500
    assert app.extensions["notiway"].database._in_use == {}

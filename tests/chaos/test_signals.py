"""Signals in the middle of a load: restart, reload, a process that stands still."""

import os
import signal

import pytest
from clients.producer import Producer, token
from server.talk import new_visitor
from servers import wait_until

from chaos.bystander import standing_by
from chaos.load import ApiSender, PageSender, StreamSender, sending
from chaos.rounds import AFTER, consuming, is_alive, wait_for_acknowledged
from chaos.screens import screens, settle
from chaos.stored import is_stored

DRAIN_SECONDS = 1
IMPATIENT = ("--timeout", "3")  # how soon gunicorn gives up a worker that stands still
RESTARTS = 2
USER = "reader"


def restart(site):
    assert site.stop() == 0
    site.start()


def reload(site):
    worker = site.worker_pid()
    site.process.send_signal(signal.SIGHUP)
    wait_until(lambda: not is_alive(worker))
    wait_until(site._ready)


@pytest.mark.parametrize("renew", [restart, reload])
def test_a_restart_under_load(ledger, start, renew):
    site = start(NOTIWAY_DRAIN_SECONDS=DRAIN_SECONDS)
    with new_visitor(site) as visitor:
        to = f"user:{visitor.id}"
        api = ApiSender(Producer(site), ledger, to)
        with standing_by(site, ledger), screens(site, ledger, token(site, visitor.id)) as opened:
            with sending(api, PageSender(visitor, ledger)):
                for _ in range(RESTARTS):
                    wait_for_acknowledged(ledger, AFTER)
                    renew(site)
                wait_for_acknowledged(ledger, AFTER)
            settle(site, ledger)
    ledger.check()
    assert {screen.label: screen.last_code for screen in opened if screen.wire in ("json", "html")} == {
        "json": 1012,
        "html": 1012,
    }


def test_a_worker_that_stands_still_while_others_write(ledger, start, redis_url):
    """What a consumer stores meanwhile is told when the worker goes on; no line is lost."""
    site = start()
    stream = StreamSender(redis_url, "standing still", ledger, f"user:{USER}")
    with (
        consuming(site, redis_url, stream.stream),
        standing_by(site, ledger),
        screens(site, ledger, token(site, USER)) as opened,
    ):
        stream.once()
        settle(site, ledger)
        worker = site.worker_pid()
        os.kill(worker, signal.SIGSTOP)
        for _ in range(5):
            stream.once()
        wait_until(lambda: is_stored(site, ledger))
        os.kill(worker, signal.SIGCONT)
        settle(site, ledger)
        assert [screen.connects for screen in opened] == [1] * len(opened)
    ledger.check()


def test_a_worker_that_stands_still_for_too_long_is_replaced(ledger, start):
    site = start(*IMPATIENT)
    api = ApiSender(Producer(site), ledger, f"user:{USER}")
    with standing_by(site, ledger), screens(site, ledger, token(site, USER)):
        with sending(api):
            wait_for_acknowledged(ledger, AFTER)
            worker = site.worker_pid()
            os.kill(worker, signal.SIGSTOP)
            wait_until(lambda: not is_alive(worker))
            wait_for_acknowledged(ledger, AFTER)
        settle(site, ledger)
    ledger.check()

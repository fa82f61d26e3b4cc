"""A client that unsubscribes and subscribes without waiting goes on hearing its audience."""

from contextlib import ExitStack

from clients.producer import Producer, token
from clients.wires import hub, socket

from chaos.bystander import standing_by
from chaos.load import ApiSender
from chaos.screens import settle

CLIENTS = 20
GROUP = "group:mounting"
TO = {"audienceType": 3, "audienceValue": "mounting", "tenantId": None}


def test_twenty_views_that_are_left_and_mounted_again(ledger, start):
    site = start(NOTIWAY_OPEN_GROUPS="mounting")
    sender = ApiSender(Producer(site), ledger, GROUP, batch=1)
    with standing_by(site, ledger), ExitStack() as doors:
        devices = [doors.enter_context(hub(site, token(site, f"device {n}"))) for n in range(CLIENTS)]
        tabs = [doors.enter_context(socket(site, token(site, f"tab {n}"))) for n in range(CLIENTS)]
        for device in devices:
            assert device.invoke("Subscribe", TO) is None
            device.call("Unsubscribe", TO, invocation_id="2")
            device.call("Subscribe", TO, invocation_id="3")
        for tab in tabs:
            for action in ("subscribe", "unsubscribe", "subscribe"):
                tab.say(action, audience=GROUP)
            tab.say("ping")
        for device in devices:
            while device.hear().get("invocationId") != "3":
                pass
        for tab in tabs:
            tab.hear_all(until=lambda message: message["event"] == "pong")
        sender.once()
        (mark,) = ledger.sent
        for number, device in enumerate(devices):
            note(ledger, f"signalr {number}", mark, lambda device=device: device.hear().get("target") == "chaos")
        for number, tab in enumerate(tabs):
            note(ledger, f"json {number}", mark, lambda tab=tab: tab.hear()["event"] == "notification")
        settle(site, ledger)
    ledger.check()


def note(ledger, screen, mark, hears):
    """Note that a screen heard the mark; a line that says nothing any more has not."""
    ledger.screens[screen]
    try:
        while not hears():
            pass
    except TimeoutError:
        return
    ledger.note_heard(screen, mark, mark)

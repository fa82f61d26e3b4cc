"""Devices: a browser is known for the accounts that it has signed in to, and its cookie opens nothing."""

import itsdangerous.timed
import pytest
from flask import Response
from werkzeug.http import parse_cookie

from notiway.host import devices

ADA, BOB = "ada@example.com", "bob@example.com"


class Device:
    """A browser that keeps one cookie."""

    def __init__(self, app):
        self.app = app
        self.cookie = None

    def request(self, **more):
        sent = {} if self.cookie is None else {"Cookie": f"{devices.COOKIE}={self.cookie}"}
        return self.app.test_request_context("/login", headers=sent, **more)

    def sign_in(self, email, **more):
        """The header that makes it known."""
        with self.request(**more):
            header = devices.remember(Response(), email).headers["Set-Cookie"]
        self.cookie = parse_cookie(header)[devices.COOKIE]
        return header

    def knows(self, *emails):
        with self.request():
            return [email for email in emails if devices.is_known(email)]


@pytest.fixture
def device(app):
    return Device(app)


def test_a_browser_is_known_for_the_accounts_it_has_signed_in_to(device):
    assert device.knows(ADA, BOB) == []
    device.sign_in(ADA)
    assert device.knows(ADA, BOB) == [ADA]
    device.sign_in(BOB)
    assert device.knows(ADA, BOB) == [ADA, BOB]


def test_of_many_accounts_it_is_known_for_the_latest(device):
    emails = [f"user{number}@example.com" for number in range(devices.MOST_ACCOUNTS + 1)]
    for email in (*emails[:-1], emails[0], emails[-1]):
        device.sign_in(email)
    assert device.knows(*emails) == [emails[0], *emails[2:]], "signing in again made the first one the latest"


def with_another_signature(cookie):
    """Not in its last character, of which some bits mean nothing."""
    return cookie[:-2] + ("A" if cookie[-2] != "A" else "B") + cookie[-1]


@pytest.mark.parametrize("change", [with_another_signature, lambda _: "x"])
def test_a_cookie_that_was_changed_is_worth_nothing(device, change):
    device.sign_in(ADA)
    device.cookie = change(device.cookie)
    assert device.knows(ADA) == []
    device.sign_in(BOB)
    assert device.knows(ADA, BOB) == [BOB]


def test_it_is_known_for_a_year(device, monkeypatch):
    device.sign_in(ADA)
    signed = itsdangerous.timed.time.time()
    monkeypatch.setattr(itsdangerous.timed.time, "time", lambda: signed + devices.SECONDS - 1)
    assert device.knows(ADA) == [ADA]
    monkeypatch.setattr(itsdangerous.timed.time, "time", lambda: signed + devices.SECONDS + 2)
    assert device.knows(ADA) == []


def test_the_cookie_of_another_site_is_worth_nothing(device):
    device.sign_in(ADA)
    device.app.secret_key = "another secret, of more than 32 bytes"
    assert device.knows(ADA) == []


@pytest.mark.parametrize(("url", "secure"), [("http://site.example", False), ("https://site.example", True)])
def test_scripts_and_other_sites_have_no_part_in_it_and_it_names_nobody(device, url, secure):
    header = device.sign_in(ADA, base_url=url)
    assert ("HttpOnly" in header, "SameSite=Lax" in header, "Secure" in header) == (True, True, secure)
    assert ADA not in header

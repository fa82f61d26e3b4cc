"""Passwords: stored as Argon2id, checked in the same time for anybody, and never in the way of others."""

import subprocess
import sys

import pytest
from argon2 import PasswordHasher

from notiway.host import passwords


def test_only_the_right_password_matches():
    stored = passwords.hash_password("correct horse")
    assert stored.startswith("$argon2id$")
    assert "correct horse" not in stored
    assert passwords.matches(stored, "correct horse")
    assert not passwords.matches(stored, "Correct horse")


@pytest.mark.parametrize("stored", [None, "", "plain text", "$argon2id$broken"])
def test_without_a_valid_hash_nothing_matches(stored):
    assert not passwords.matches(stored, "")
    assert not passwords.matches(stored, "anything")


def test_an_unknown_user_costs_a_verification_too(monkeypatch):
    calls = []
    verify = PasswordHasher.verify
    monkeypatch.setattr(PasswordHasher, "verify", lambda *given: calls.append(given) or verify(*given))
    assert not passwords.matches(None, "x")
    assert len(calls) == 1


def test_an_endless_password_is_refused_even_if_it_were_right():
    endless = "x" * (passwords.MAX_LENGTH + 1)
    assert not passwords.matches(passwords.hash_password(endless), endless)


def test_a_hash_made_with_other_parameters_is_outdated(monkeypatch):
    stored = passwords.hash_password("correct horse")
    assert not passwords.is_outdated(stored)
    monkeypatch.setattr(passwords, "HASHER", PasswordHasher(time_cost=2, memory_cost=16, parallelism=1))
    assert passwords.is_outdated(stored)


UNDER_GEVENT = """
import gevent.monkey
gevent.monkey.patch_all()
import gevent
from notiway.host import passwords
ticks = []
def tick():
    while True:
        ticks.append(1)
        gevent.sleep(0.001)
ticker = gevent.spawn(tick)
gevent.sleep(0)
before = len(ticks)
stored = passwords.hash_password("correct horse")
assert passwords.matches(stored, "correct horse")
assert len(ticks) > before + 3, "the loop stood still while hashing"
"""


def test_under_gevent_other_requests_go_on_while_a_password_is_hashed():
    done = subprocess.run([sys.executable, "-c", UNDER_GEVENT], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr

"""Producer: a service that publishes to a site over HTTP, and the tokens of its clients."""

import itertools
import json
import sqlite3
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import requests

from notiway.gateway import client_tokens
from notiway.gateway.client_tokens import Claims
from notiway.values.audience import Audience

PUBLISHED = Path(__file__).parent / "published"
numbers = itertools.count(1)


class Producer:
    """A producer with a key of its own.

    >>> producer.publish("user:ada", "order-shipped", {"orderId": 7}, persisted=True)  # doctest: +SKIP
    'order-shipped-1'
    """

    def __init__(self, site):
        self.site = site
        self.http = requests.Session()
        name = f"producer {next(numbers)} {time.time_ns()}"
        key = next(
            word
            for word in site.command("key", "add", name, "--scope", "publish", "--scope", "token").split()
            if word.startswith("nw_")
        )
        self.http.headers["Authorization"] = f"Bearer {key}"

    def post(self, path, body):
        return self.http.post(f"{self.site.url}{path}", json=body, timeout=60)

    def send(self, *envelopes):
        """Publish envelopes in one request; all must be taken."""
        answer = self.post("/api/notifications", list(envelopes))
        assert answer.ok, answer.text
        assert not [each for each in answer.json() if "error" in each], answer.text

    def publish(self, audience, name, body=None, persisted=False, **metadata):
        """Publish one; its id."""
        raw = envelope(audience, name, body, persisted, **metadata)
        self.send(raw)
        return raw["id"]

    def publish_as_published(self, name, **changes):
        """Publish the envelope of the documentation, with a TTL that is still to come; returns it."""
        raw = json.loads((PUBLISHED / f"{name}.json").read_text())
        if "persistedTTL" in raw["metadata"]:
            raw["metadata"]["persistedTTL"] = in_future(60)
        raw |= changes
        self.send(raw)
        return raw


def envelope(audience, name, body=None, persisted=False, **metadata):
    """An envelope to an audience key."""
    to = Audience.parse(audience)
    return {
        "id": f"{name}-{next(numbers)}",
        "type": name,
        "body": body or {},
        "routing": {"audienceType": int(to.type), "audienceValue": to.value, "tenantId": to.tenant_id},
        "metadata": {"producer": "tests", "isPersisted": persisted, **metadata},
    }


def in_future(seconds):
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


def token(site, user_id, ttl=600, **claims):
    """A client token of a site's user, made as any backend with the secret would."""
    secret = client_tokens.derive_secret(site.environment["SECRET_KEY"])
    return client_tokens.mint(secret, Claims(user_id, time.time() + ttl, **claims))


def join(site, user_id, *audiences):
    """Make a user a member, in the site's database."""
    rows = [(user_id, key) for key in audiences]
    insert = "INSERT INTO notiway_membership (user_id, audience) VALUES (?, ?)"
    url = site.environment["NOTIWAY_DATABASE_URL"]
    if url.startswith("postgresql:"):
        with psycopg.connect(url) as connection:
            connection.cursor().executemany(insert.replace("?", "%s"), rows)
        return
    with closing(sqlite3.connect(site.folder / "notiway.db", timeout=60)) as database, database:
        database.executemany(insert, rows)


def snippet(name):
    """JavaScript as it was published."""
    return (PUBLISHED / f"{name}.js").read_text()

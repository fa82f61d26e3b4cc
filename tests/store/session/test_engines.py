"""Engines: which of them Notiway shares a database and a connection with."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import make_url

from notiway.store.session.engines import Place, place_of

SAME = "postgresql://shop:secret@db.example/books"


def engine(url: str, driver: str, is_async: bool = False) -> Any:
    made = make_url(url)
    return SimpleNamespace(
        url=made, dialect=SimpleNamespace(name=made.get_backend_name(), driver=driver, is_async=is_async)
    )


@pytest.mark.parametrize(
    ("url", "driver", "place"),
    [
        ("sqlite:////srv/shop.db", "pysqlite", Place("sqlite:////srv/shop.db", "sqlite", shares=True)),
        ("sqlite://", "pysqlite", Place("sqlite:///:memory:", "sqlite", shares=True, in_memory=True)),
        ("sqlite:///file:shop.db?uri=true", "pysqlite", Place(None, "sqlite", shares=False)),
        ("sqlite+pysqlcipher://:key@/shop.db", "pysqlcipher", Place("sqlite:///shop.db", "sqlite", shares=False)),
        ("postgresql+psycopg://shop:secret@db.example/books", "psycopg", Place(SAME, "postgresql", shares=True)),
        ("postgresql+psycopg2://shop:secret@db.example/books", "psycopg2", Place(SAME, "postgresql", shares=False)),
        ("mysql+pymysql://db.example/books", "pymysql", Place(None, "mysql", shares=False)),
    ],
)
def test_rows_go_beside_the_application_s_own(url: str, driver: str, place: Place) -> None:
    assert place_of(engine(url, driver), "") == place


def test_an_asynchronous_engine_s_connections_are_not_ours_to_use() -> None:
    assert not place_of(engine("postgresql+psycopg://db.example/books", "psycopg", is_async=True), "").shares


@pytest.mark.parametrize(
    ("configured", "shares"),
    [
        (SAME, True),
        ("postgresql://notiway@db.example:5432/books", True),
        ("postgresql:///books?host=db.example", True),
        ("postgresql://shop:secret@db.example/other", False),
        ("sqlite:////srv/notiway.db", False),
    ],
)
def test_a_configured_database_is_shared_where_it_is_the_same_one(configured: str, shares: bool) -> None:
    place = place_of(engine("postgresql+psycopg://shop:secret@db.example/books", "psycopg"), configured)
    assert (place.url, place.shares) == (configured, shares)


def test_two_paths_of_one_file_are_one_database() -> None:
    assert place_of(engine("sqlite:////srv/shop.db", "pysqlite"), "sqlite:////srv/../srv/shop.db").shares

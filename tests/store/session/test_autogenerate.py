"""Autogenerate: a migration that Alembic makes for the application leaves Notiway's tables alone."""

from __future__ import annotations

from typing import Any

from alchemy import Base, Shop
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import MetaData, text

from notiway.store.session.autogenerate import leave_tables_alone


def changes(shop: Shop, metadata: MetaData) -> list[str]:
    """What Alembic would do, each with the name of its table."""
    with shop.engine.connect() as connection:
        found: list[Any] = compare_metadata(MigrationContext.configure(connection), metadata)
    return [f"{each[0]} {getattr(each[1], 'name', each[1])}" for each in found if isinstance(each, tuple)]


def test_what_the_application_no_longer_has_is_dropped_and_nothing_of_ours(shop: Shop) -> None:
    shop.db.session.execute(text("CREATE TABLE shop_old (id INTEGER PRIMARY KEY)"))
    shop.db.session.commit()
    leave_tables_alone()
    assert changes(shop, Base.metadata) == ["remove_table shop_old"]

"""Alchemy: a shop with Flask-SQLAlchemy and Notiway in one database, and what tests ask of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import flask_login
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Engine, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from notiway import Notiway
from notiway.live import runtime
from notiway.store import schema
from notiway.store.database import db as notiway_db
from notiway.values.event import Event

SECRET_KEY = "a secret of the tests, of more than 32 bytes"


class Base(DeclarativeBase):
    """The base of the shop's tables."""


class User(flask_login.UserMixin, Base):
    __tablename__ = "shop_user"
    id: Mapped[str] = mapped_column(String(40), primary_key=True)


class Order(Base):
    __tablename__ = "shop_order"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(80))


def address(place: Path | str) -> str:
    """The URL for SQLAlchemy of the place that the fixture of that name gives."""
    if isinstance(place, Path):
        return f"sqlite:///{place / 'shop.db'}"
    return place.replace("postgresql://", "postgresql+psycopg://")


class Shop:
    """One application; `heard` are the Events that its broker was given."""

    def __init__(self, url: str, folder: Path, sqlalchemy: Any = None, **settings: Any) -> None:
        self.db = SQLAlchemy(model_class=Base)
        self.app = Flask("shop", instance_path=str(folder))
        own = {"SECRET_KEY": SECRET_KEY, "TESTING": True, "NOTIWAY_JOBS": "off", "SQLALCHEMY_DATABASE_URI": url}
        self.app.config.update(own | settings)
        self.db.init_app(self.app)
        flask_login.LoginManager(self.app).user_loader(lambda user_id: self.db.session.get(User, user_id))
        self.notiway = Notiway(self.app, sqlalchemy=sqlalchemy or self.db)
        self.heard: list[Event] = []
        self.running = self.app.extensions[runtime.KEY]
        self.running.broker.publish = self.heard.extend
        with self.app.app_context():
            self.db.create_all()
            schema.migrate(notiway_db.obj)
            if self.db.session.get(User, "ada") is None:
                self.db.session.add_all([User(id="ada"), User(id="bob")])
            self.db.session.commit()

    @property
    def engine(self) -> Engine:
        with self.app.app_context():
            return self.db.engine

    @property
    def told(self) -> list[str]:
        """The titles that were told, in order."""
        return [each.data["notification"]["title"] for each in self.heard if each.kind == "created"]

    def rows(self) -> tuple[list[str], list[str]]:
        """The titles of all orders and of all notifications that are committed, as another process sees them."""
        with self.engine.connect() as connection:
            return (
                list(connection.exec_driver_sql("SELECT title FROM shop_order ORDER BY id").scalars()),
                list(connection.exec_driver_sql("SELECT title FROM notiway_notification ORDER BY id").scalars()),
            )

    def close(self) -> None:
        self.running.stop()
        self.running.database.close_all()
        with self.app.app_context():
            self.db.session.remove()
            self.db.engine.dispose()

"""Postgres: a real PostgreSQL of our own, in a temporary folder, and a migrated database for each test."""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg.sql import SQL, Identifier
from servers import free_port, wait_until

from notiway.store import schema
from notiway.store.database import open_database

BINARIES = Path("/usr/lib/postgresql")  # Debian's place: one folder for each major version
SYSTEM_USERS = ("postgres", "nobody")  # initdb refuses to run as root
START_SECONDS = 60.0
END_OTHERS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
FOLLOWED = "SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'"
# Numbers begin again with 1, as in a new database. Foreign keys are not looked at, so the order does not matter.
EMPTY = """
DO $$ DECLARE each record; BEGIN
    SET LOCAL session_replication_role = replica;
    FOR each IN SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' AND tablename NOT LIKE '%_migration'
    LOOP EXECUTE format('DELETE FROM %I', each.name); END LOOP;
    FOR each IN SELECT sequencename AS name FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL
        AND sequencename NOT LIKE '%_migration_%'
    LOOP EXECUTE format('ALTER SEQUENCE %I RESTART', each.name); END LOOP;
END $$
"""
# Nothing here has to survive a crash; two tests at a time do not need a hundred backends.
OPTIONS = {
    "listen_addresses": "127.0.0.1",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "max_connections": "200",
}


class Postgres:
    """One server. `fresh()` gives a database with all tables to one test at a time; `give_back` empties it.

    >>> server.fresh()  # doctest: +SKIP
    'postgresql://notiway@127.0.0.1:41231/test_1'
    """

    def __init__(self, folder: Path, **options: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.options = OPTIONS | options
        self.process: subprocess.Popen[bytes] | None = None
        self._run_as = _system_user()
        self._numbers = itertools.count(1)
        self._free: dict[tuple[schema.Migrations, ...], list[str]] = {}  # a hundred times quicker to empty than to make

    def initialise(self) -> Postgres:
        given = ["-D", self._data(), "-U", "notiway", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
        self._run("initdb", *given)
        return self

    def start(self) -> Postgres:
        settings = [f"-c{name}={value}" for name, value in self.options.items()]
        serve = ["postgres", "-D", self._data(), "-p", self.port, "-k", self.folder, *settings]
        with (self.folder / "log").open("ab") as log:
            command = _command(_binaries(), self._run_as, *serve)
            self.process = subprocess.Popen(command, stdout=log, stderr=log, cwd="/")
        wait_until(self._answers, START_SECONDS)
        return self

    def stop(self, how: int = signal.SIGINT) -> None:
        """End it; SIGINT cuts all connections, SIGQUIT is a crash, SIGTERM would wait until every client has gone."""
        assert self.process is not None
        self.process.send_signal(how)
        self.process.wait(START_SECONDS)

    def standby(self, folder: Path) -> Postgres:
        """Another server that follows this one, and without which nothing is acknowledged from now on."""
        follower = Postgres(folder, **self.options)
        if self._run_as is not None:
            os.chown(folder, self._run_as.pw_uid, self._run_as.pw_gid)
        source = ["-h", "127.0.0.1", "-p", self.port, "-U", "notiway"]
        follower._run("pg_basebackup", "-D", follower._data(), *source, "-X", "stream", "-R", "-c", "fast", "--no-sync")
        follower.start()
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
            connection.execute("SELECT pg_reload_conf()")
            wait_until(lambda: connection.execute(FOLLOWED).fetchone(), START_SECONDS)
        return follower

    def promote(self) -> None:
        """Be the primary from now on."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute("SELECT pg_promote()")

    def _data(self) -> Path:
        return self.folder / "data"

    def _run(self, name: str, *arguments: object) -> None:
        command = _command(_binaries(), self._run_as, name, *arguments)
        subprocess.run(command, check=True, capture_output=True, cwd="/")

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, (self.folder / "log").read_text()
        try:
            psycopg.connect(self.url("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def url(self, name: str) -> str:
        return f"postgresql://notiway@127.0.0.1:{self.port}/{name}"

    def empty(self) -> str:
        """The URL of a new database without tables."""
        name = f"test_{next(self._numbers)}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(SQL("CREATE DATABASE {} TEMPLATE template0 STRATEGY FILE_COPY").format(Identifier(name)))
        return self.url(name)

    def copy(self, url: str) -> str:
        """The URL of a copy of a database that nobody is connected to."""
        name = f"test_{next(self._numbers)}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            made = SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY")
            connection.execute(made.format(Identifier(name), Identifier(url.rpartition("/")[2])))
        return self.url(name)

    def dump(self, url: str, path: Path) -> None:
        """What `pg_dump` makes of a database, while it is used."""
        with path.open("wb") as file:
            subprocess.run([_binaries() / "pg_dump", "--format=custom", url], stdout=file, check=True)

    def restore(self, path: Path) -> str:
        """The URL of a new database with what was dumped."""
        url = self.empty()
        subprocess.run([_binaries() / "pg_restore", "--no-owner", "--dbname", url, path], check=True)
        return url

    def fresh(self, sets: tuple[schema.Migrations, ...] = (schema.OWN,)) -> str:
        """The URL of a database with all tables and no rows."""
        free = self._free.setdefault(sets, [])
        if free:
            return free.pop()
        url = self.empty()
        opened = open_database(url)
        schema.migrate(opened, sets)
        opened.close_all()
        return url

    def give_back(self, url: str, sets: tuple[schema.Migrations, ...] = (schema.OWN,)) -> None:
        """End whatever still uses a database from `fresh`, and empty it for the next test."""
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(END_OTHERS)
            connection.execute(EMPTY)
        self._free[sets].append(url)


@contextmanager
def postgres_server(**options: str) -> Iterator[Postgres]:
    """Start PostgreSQL; `FileNotFoundError` where it is not installed (bin/need postgresql)."""
    with own_folder() as folder:
        server = Postgres(folder, **options).initialise().start()
        try:
            yield server
        finally:
            server.stop()


@contextmanager
def own_folder() -> Iterator[Path]:
    """A folder that the user belongs to as whom servers run."""
    _binaries()
    folder = Path(tempfile.mkdtemp(prefix="notiway-postgres-"))
    run_as = _system_user()
    if run_as is not None:
        os.chown(folder, run_as.pw_uid, run_as.pw_gid)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def _binaries() -> Path:
    found = sorted(BINARIES.glob("*/bin/initdb"))
    if not found:
        raise FileNotFoundError(f"there is no PostgreSQL under {BINARIES}: run bin/need postgresql")
    return found[-1].parent


def _system_user() -> pwd.struct_passwd | None:
    """Whom to run it as; None: as we are."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    return next(known[name] for name in SYSTEM_USERS if name in known)


def _command(binaries: Path, run_as: pwd.struct_passwd | None, name: str, *arguments: object) -> list[str]:
    command = [str(binaries / name), *map(str, arguments)]
    if run_as is None:
        return command
    return ["setpriv", f"--reuid={run_as.pw_uid}", f"--regid={run_as.pw_gid}", "--clear-groups", *command]

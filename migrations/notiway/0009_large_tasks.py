"""Tasks may count further than 32 bits: bytes, for instance."""

import peewee

COLUMNS = ("done", "total")
HIGHEST = 2**31 - 1


def _change(db, kind, using):
    if isinstance(db, peewee.SqliteDatabase):
        return  # its integers have 64 bits
    for column in COLUMNS:
        db.execute_sql(f'ALTER TABLE "notiway_task" ALTER COLUMN "{column}" TYPE {kind} USING {using.format(column)}')


def up(migrator, db):
    _change(db, "BIGINT", '"{}"')


def down(migrator, db):
    _change(db, "INTEGER", f'LEAST("{{}}", {HIGHEST})')

"""The catalogue that large inboxes are searched by; it is empty at first."""

import peewee

WORDS = "notiway_search_words"
# Nothing but numbers is kept there, and nothing of the text; SQLite can be built without FTS5.
OF_SQLITE = "USING fts5(words, content='', detail='none', columnsize=0, tokenize='ascii')"


def _models(db):
    class Notification(peewee.Model):
        id = peewee.CharField(primary_key=True, max_length=36)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "notiway_notification"

    class SearchInbox(peewee.Model):
        user_id = peewee.CharField(primary_key=True, max_length=200)
        asked_at = peewee.BigIntegerField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "notiway_search_inbox"

    class SearchEntry(peewee.Model):
        number = peewee.BigAutoField()
        user_id = peewee.CharField(max_length=200)
        notification = peewee.ForeignKeyField(
            Notification, on_delete="CASCADE", column_name="notification_id", index=False
        )

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "notiway_search_entry"
            indexes = ((("notification", "user_id"), True), (("user_id", "number"), False))

    return [SearchInbox, SearchEntry]


def up(migrator, db):
    db.create_tables(_models(db), safe=False)
    if not isinstance(db, peewee.SqliteDatabase):
        db.execute_sql("ALTER TABLE notiway_search_entry ADD COLUMN words INTEGER[] NOT NULL")
        # With `fastupdate` every search would read through a list of what is pending.
        db.execute_sql(f"CREATE INDEX {WORDS} ON notiway_search_entry USING gin (words) WITH (fastupdate = off)")
    elif _has_fts5(db):
        db.execute_sql(f"CREATE VIRTUAL TABLE {WORDS} {OF_SQLITE}")
        # It would merge its parts by itself now and then, for 30 ms; so whoever writes there does, a little each time.
        db.execute_sql(f"INSERT INTO {WORDS} ({WORDS}, rank) VALUES ('automerge', 0), ('crisismerge', 64)")


def down(migrator, db):
    if isinstance(db, peewee.SqliteDatabase):
        db.execute_sql(f"DROP TABLE IF EXISTS {WORDS}")
    db.drop_tables(_models(db)[::-1], safe=False)


def _has_fts5(db):
    return db.execute_sql("SELECT 1 FROM pragma_module_list WHERE name = 'fts5'").fetchone() is not None

"""Tables of the catalogue: what its queries rely on."""

from notiway.store import schema

WANTED = {("notification_id", "user_id"): True, ("user_id", "number"): False}


def test_an_item_is_listed_once_for_a_user(empty):
    schema.migrate(empty)
    found = {tuple(index.columns): index.unique for index in empty.get_indexes("notiway_search_entry")}
    assert WANTED.items() <= found.items()

"""Routes and live lines that read or write the store run on both databases."""

import pytest
from conftest import DATABASE

# The others are about requests, sessions and forms, or take minutes for all their bad input; `make test-postgresql`
# runs them all.
ON_BOTH = {
    "test_api", "test_changes", "test_listing", "test_history", "test_bell", "test_banners", "test_tasks",
    "test_token_clients", "test_opening", "test_resuming", "test_sse",
}  # fmt: skip


def pytest_generate_tests(metafunc):
    if "make_app" not in metafunc.fixturenames or metafunc.definition.get_closest_marker("sqlite"):
        return
    if metafunc.module.__name__.rpartition(".")[2] in ON_BOTH and DATABASE == "sqlite":
        both = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]
        metafunc.parametrize("database_kind", both, indirect=False)

"""One array inside the contract: every reader that reads hears all of it over the line that it has."""

import pytest
from clients.producer import token

from chaos.bystander import standing_by
from chaos.load import ApiSender
from chaos.screens import screens, settle

READERS = ("json", "html", "sse", "signalr") * 5
ARRAYS = {
    "1,000 of 600 B, not stored": (1000, 600, False),
    "1,000 of 2,000 B, not stored": (1000, 2000, False),
    "400 of 3,000 B, stored": (400, 3000, True),
    "1,000 of 200 B, stored": (1000, 200, True),
}
WIRES_OF_THE_UNKEPT = ("json", "sse", "signalr") * 5  # a page shows what is not stored as a toast, not as a row


@pytest.mark.parametrize("array", ARRAYS)
def test_an_array_of_the_largest_size(ledger, shared, producer, array):
    count, size, kept = ARRAYS[array]
    ledger.kept = kept
    user = f"reader of {array.replace(',', '')}"
    readers = READERS if kept else WIRES_OF_THE_UNKEPT
    with standing_by(shared, ledger), screens(shared, ledger, token(shared, user), *readers, apart=True) as opened:
        ApiSender(producer, ledger, f"user:{user}", batch=count, kept=kept, fill="x" * size).once()
        settle(shared, ledger)
        assert [screen.connects for screen in opened] == [1] * len(opened), "nobody was closed"
    ledger.check()

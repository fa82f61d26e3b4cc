"""kill -9 under load: nothing is lost, nothing is there twice, whatever dies."""

import pytest

from chaos.rounds import KILLS, one_round


@pytest.mark.parametrize("what", KILLS)
def test_kill_9_under_load(ledger, shared, producer, redis_url, chance, what):
    one_round(what, shared, producer, redis_url, chance, ledger)
    ledger.check()

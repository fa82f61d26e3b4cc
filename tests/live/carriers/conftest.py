"""What the tests of carriers share; each module makes its own running hub, `now`."""

import pytest
from joined import Joiner


@pytest.fixture
def join(now):
    """Opens connections: `join(Principal("ada"))`; the connection and its client."""
    joiner = Joiner(now)
    yield joiner
    joiner.close()

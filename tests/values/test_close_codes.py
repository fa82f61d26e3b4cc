"""Close codes: those of the contract, and only such as a server may send."""

import pytest
from pair import make_pair

from notiway import metrics
from notiway.values.close_codes import KNOWN_CODES, CloseCode

CONTRACT = {
    "NOT_ALLOWED": 1008,
    "TOO_BIG": 1009,
    "RESTARTING": 1012,
    "TOO_SLOW": 1013,
    "NOT_SIGNED_IN": 4001,
    "TOO_MANY": 4008,
    "SIGNED_OUT": 4009,
}
NEVER_SENT = {1004, 1005, 1006, 1015}  # RFC 6455 §7.4.1: reserved, or for the client's own use


def test_clients_rely_on_these():
    assert CONTRACT.items() <= {code.name: code.value for code in CloseCode}.items()


@pytest.mark.parametrize("code", CloseCode)
def test_each_may_stand_in_a_close_frame(code):
    assert code not in NEVER_SENT
    assert 1000 <= code <= 1014 or 4000 <= code <= 4999


@pytest.mark.parametrize(("code", "label"), [(CloseCode.TOO_SLOW, "1013"), (4321, "other")])
def test_a_client_s_own_code_makes_no_metric_of_its_own(code, label):
    assert (code in KNOWN_CODES) is (label != "other")
    counter = metrics.CLOSES.labels(code=label)
    before = counter._value.get()
    connection, client = make_pair()
    connection.close(code)
    assert client.read() == [("close", code)]
    assert counter._value.get() == before + 1
    connection.lost()
    client.close()

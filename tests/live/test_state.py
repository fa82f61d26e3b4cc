"""State: a connection only ever goes forward."""

from notiway.live.state import State


def test_states_are_in_the_order_in_which_a_connection_goes_through_them():
    assert sorted(State) == [State.OPEN, State.CLOSING, State.LINGERING, State.CLOSED]

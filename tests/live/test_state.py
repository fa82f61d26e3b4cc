"""State: a connection only ever goes forward, and what is compared relies on the order."""

from notiway.live.state import State


def test_states_are_in_the_order_in_which_a_connection_goes_through_them():
    assert sorted(State) == [State.OPEN, State.FINISHING, State.CLOSING, State.LINGERING, State.CLOSED]


def test_whoever_may_still_be_told_something_comes_before_the_goodbye():
    assert [state for state in State if state <= State.FINISHING] == [State.OPEN, State.FINISHING]

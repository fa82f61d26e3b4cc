"""Count: a number that says up to where it was counted."""

import copy
import json
import pickle

from notiway.values.count import Count, as_of


def test_a_count_is_a_number_that_knows_its_position():
    count = Count(3, as_of=7)
    assert (count, count.as_of, as_of(count)) == (3, 7, 7)
    assert json.dumps(count) == "3"


def test_a_count_crosses_a_queue_that_pickles():
    for same in (pickle.loads(pickle.dumps(Count(3, as_of=7))), copy.deepcopy(Count(3, as_of=7))):
        assert (same, same.as_of) == (3, 7)


def test_other_numbers_say_nothing():
    assert as_of(3) is as_of(None) is None

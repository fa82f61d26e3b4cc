"""JSON text: what is not JSON is a ValueError, whatever it is; what is read can be walked through."""

import json

import pytest

from notiway.values.errors import TooLarge
from notiway.values.text.json_text import MAX_DEPTH, is_deeper, read, read_elements


@pytest.mark.parametrize(
    "text", ["", "{", "NaN", "[Infinity]", "-Infinity", b"\xff\xfe\xfa", "1" * 5_000, "[" * 100_000]
)
def test_what_is_no_json_is_a_value_error(text):
    with pytest.raises(ValueError):
        read(text)


@pytest.mark.parametrize(
    "value", [{"a": [1, -0.5, 1e22, 10**30, True, None]}, "é 🔔 \u2028 \x00", ["\ud83d", "\udd14"], 5, ""]
)
@pytest.mark.parametrize("encoding", [None, "utf-8", "utf-16", "utf-32-le"])
def test_what_is_json_is_read_as_it_is_in_any_encoding_of_unicode(value, encoding):
    text = json.dumps(value)
    read_back = read(text if encoding is None else text.encode(encoding))
    assert json.dumps(read_back) == text


def test_half_a_surrogate_pair_in_the_bytes_themselves_is_read_for_those_who_name_it():
    assert read('["\ud800"]'.encode(errors="surrogatepass")) == ["\ud800"]
    assert read('["\ud800"]') == ["\ud800"]


def nested(levels, innermost=None):
    """Lists and objects in turn, so many levels deep."""
    value = innermost
    for level in range(levels):
        value = [value] if level % 2 else {"in": value}
    return value


def test_the_depth_is_bounded():
    assert read(json.dumps(nested(MAX_DEPTH, 1))) == nested(MAX_DEPTH, 1)
    with pytest.raises(ValueError, match="levels deep"):
        read(json.dumps(nested(MAX_DEPTH + 1)))


@pytest.mark.parametrize(("value", "levels"), [(5, 0), ("x", 0), ({}, 1), ([], 1), ([[]], 2), ({"a": [{"b": 1}]}, 3)])
def test_the_depth_counts_lists_and_objects(value, levels):
    assert not is_deeper(value, levels)
    assert levels == 0 or is_deeper(value, levels - 1)


def test_what_holds_itself_is_deeper_than_anything():
    endless: list = []
    endless += [endless, {"again": endless, "and again": endless}]
    assert is_deeper(endless, 1_000)
    assert is_deeper(nested(100_000), 32)


LISTS = [
    [], [1], [1, 2.5, -3e9, True, None, "ü€😀\\\"\n"], [{"a": [1, {"b": "x" * 40}]}] * 9,
    ["", [], {}, [[]], "]", ",[", "\ud800"],
]  # fmt: skip
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-32-le"]


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("indent", [None, 1, 60])
@pytest.mark.parametrize("value", LISTS)
def test_a_long_list_is_read_element_by_element_wherever_it_is_cut(value, indent, encoding):
    long = value * 40
    data = json.dumps(long, ensure_ascii=False, indent=indent).encode(encoding, "surrogatepass")
    for piece in (3_000, 3_001, 3_003, 100_000):
        assert list(read_elements(data, piece)) == read(data) == long


def test_a_list_is_read_no_further_than_its_elements_are_taken():
    elements = read_elements(b'[{"a": 1}, 2, oops')
    assert [next(elements), next(elements)] == [{"a": 1}, 2]
    with pytest.raises(ValueError, match="Expecting value: char 14"):
        next(elements)


@pytest.mark.parametrize(
    "text", ["[", "[1", "[1,", "[1,]", "[1 2]", "[1] 2", "[,1]", "[NaN]", '["a', "[tru]", "[1}", '[{"a" 1}]']
)
@pytest.mark.parametrize("spaces", [0, 500])
def test_a_list_that_is_no_json_is_a_value_error(text, spaces):
    with pytest.raises((ValueError, TooLarge)):
        list(read_elements((" " * spaces + text + " " * spaces).encode(), 100))


def test_the_depth_of_elements_is_bounded_as_that_of_the_whole():
    assert list(read_elements(json.dumps([nested(MAX_DEPTH - 1, 1)]).encode())) == [nested(MAX_DEPTH - 1, 1)]
    for levels in (MAX_DEPTH, 100_000):
        with pytest.raises(ValueError, match="levels deep"):
            list(read_elements(b"[" * levels + b"[1]" + b"]" * levels))


@pytest.mark.parametrize("data", [b"{}", b"5", b'["' + b"x" * 400 + b'", 1]', b"[[" + b"1," * 400 + b"1]]"])
def test_what_cannot_be_read_in_parts_is_too_large(data):
    with pytest.raises(TooLarge):
        list(read_elements(data, 100))

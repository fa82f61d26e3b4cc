"""Password rules: long, and not what others guess first. Nothing about kinds of characters (ASVS 6.2.5)."""

import threading

import pytest
from zxcvbn import matching

from notiway.host import password_rules

GOOD = [
    "correct horse battery staple",
    "blue van tuesday",
    "x9$Kp2!vQz7w",
    "Ein langer Satz ist auch gut",
    "пароль из пяти слов",
]


@pytest.mark.parametrize("password", [*GOOD, "long enough " * 8, "aB3$" * 5 + "these words are many"])
def test_a_long_phrase_is_good(password):
    assert password_rules.fault(password) == ""


@pytest.mark.parametrize(
    "password",
    [
        "",
        "x",
        "notiway",
        "Tr0ub4dour&",  # eleven characters
        "123456789012",
        "passwordpassword",
        "qwertyuiop[]",
        "iloveyou1234",
        "aaaaaaaaaaaaaaaaaaaa",
        "aaaaaaaaaaaaaaa" * 10,
        "notiwaynotiway",
        " " * 20,
    ],
)
def test_what_is_short_or_guessed_first_is_refused_with_the_reason(password):
    assert password_rules.fault(password)


def test_eleven_characters_are_too_few_however_strange_they_are():
    assert "at least 12" in password_rules.fault("kV9$xq2!Lw7")
    assert password_rules.fault("kV9$xq2!Lw7z") == ""


@pytest.mark.parametrize("password", ["notiway12345", "Notiway!2026", "notiway-2026"])
def test_the_name_of_the_product_is_no_password(password):
    assert "easy to guess" in password_rules.fault(password)


@pytest.mark.parametrize("password", ["ada.lovelace1815", "ada.lovelace@example.com", "AdaLovelaceAda"])
def test_what_everybody_knows_of_a_user_is_no_password(password):
    about = ("ada.lovelace@example.com", "Ada Lovelace")
    assert password_rules.fault(password, about)


def test_a_password_of_sixty_four_characters_is_taken_and_one_beyond_all_bounds_is_not():
    assert password_rules.fault("correct horse battery staple, and then sixty-four characters of it"[:64]) == ""
    assert "at most" in password_rules.fault("correct horse " * 100)


def test_no_password_keeps_the_estimate_busy():
    """It looks a password up once for each way to read its signs as letters."""
    worst = "4@8({[<369&#!1/|0$5+7%2zl" * 3

    def readings(text):
        return len(matching.enumerate_l33t_subs(matching.relevant_l33t_subtable(text, matching.L33T_TABLE)))

    assert readings(worst) > 500
    assert readings(password_rules.looked_at(worst)) <= 8
    assert len(password_rules.looked_at(worst)) == 32


def test_what_one_user_is_called_never_counts_for_another():
    wrong = []

    def try_often(about, expected):
        for _ in range(10):
            if bool(password_rules.fault("zwickelmann1234", about)) is not expected:
                wrong.append(about)

    threads = [
        threading.Thread(target=try_often, args=(about, expected))
        for about, expected in ((("zwickelmann",), True), ((), False)) * 2
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []

"""Config: every setting from the application or the environment, checked at the start."""

from dataclasses import FrozenInstanceError, fields

import pytest

from notiway.values.config import Config, unknown_settings
from notiway.values.errors import ConfigError

WRONG = [
    ("NOTIWAY_USERS", "nobody"),
    ("NOTIWAY_RETENTION_DAYS", "soon"),
    ("NOTIWAY_RETENTION_DAYS", 0),
    ("NOTIWAY_RECENT_LIMIT", "-1"),
    ("NOTIWAY_TOAST_SECONDS", 0.5),
    ("NOTIWAY_QUEUE_LIMIT", "1"),
    ("NOTIWAY_DATABASE_POOL", 0),
    ("NOTIWAY_MAX_CONNECTIONS_PER_USER", 0),
    ("NOTIWAY_MAX_MESSAGE_BYTES", 10),
    ("NOTIWAY_HEARTBEAT_SECONDS", "0"),
    ("NOTIWAY_HEARTBEAT_SECONDS", "nan"),
    ("NOTIWAY_HEARTBEAT_SECONDS", "inf"),
    ("NOTIWAY_DRAIN_SECONDS", -1),
    ("NOTIWAY_DRAIN_SECONDS", float("inf")),
    ("NOTIWAY_TRUSTED_PROXIES", -1),
    ("NOTIWAY_JOBS", "somewhere"),
    ("NOTIWAY_BROKER_URL", "kafka://host"),
    ("NOTIWAY_BROKER_URL", ""),
    ("NOTIWAY_BROKER_URL", "redis+sentinel://host"),
    ("NOTIWAY_DATABASE_URL", "mysql://host/name"),
    ("NOTIWAY_ALLOWED_ORIGINS", "app.example.com"),
    ("NOTIWAY_ALLOWED_ORIGINS", "https://app.example.com/path"),
    ("NOTIWAY_ALLOWED_ORIGINS", "null"),
    ("NOTIWAY_ALLOWED_ORIGINS", 5),
    ("NOTIWAY_URL_PREFIX", "bell"),
    ("NOTIWAY_URL_PREFIX", "/bell/"),
    ("NOTIWAY_ENV", "staging"),
]


def test_the_defaults_are_those_of_the_contract():
    config = Config.load({}, environ={})
    assert (config.broker_url, config.retention_days, config.recent_limit) == ("memory://", 90, 20)
    assert config.env == "production"
    assert not config.development
    assert not config.broker_is_shared


def test_the_application_comes_before_the_environment():
    environ = {"NOTIWAY_RETENTION_DAYS": "7", "NOTIWAY_RECENT_LIMIT": "5"}
    config = Config.load({"NOTIWAY_RETENTION_DAYS": 30}, environ)
    assert (config.retention_days, config.recent_limit) == (30, 5)


@pytest.mark.parametrize(("key", "value"), WRONG)
def test_a_wrong_setting_is_named(key, value):
    with pytest.raises(ConfigError) as caught:
        Config.load({key: value}, environ={})
    assert [fault.path for fault in caught.value.faults] == [key]


def test_all_wrong_settings_are_named_at_once():
    wrong = {"NOTIWAY_RETENTION_DAYS": "soon", "NOTIWAY_JOBS": "x", "NOTIWAY_BROKER_URL": "kafka://host"}
    with pytest.raises(ConfigError) as caught:
        Config.load(wrong, environ={})
    assert {fault.path for fault in caught.value.faults} == set(wrong)


@pytest.mark.parametrize(
    "given", ["https://a.example, http://b.example:8000", ["https://a.example", "http://b.example:8000"]]
)
def test_a_list_may_be_written_as_text(given):
    config = Config.load({"NOTIWAY_ALLOWED_ORIGINS": given}, environ={})
    assert config.allowed_origins == ("https://a.example", "http://b.example:8000")


def test_an_origin_is_kept_as_browsers_write_it():
    assert Config.load({"NOTIWAY_ALLOWED_ORIGINS": "https://App.Example/"}, environ={}).allowed_origins == (
        "https://app.example",
    )


@pytest.mark.parametrize(("url", "shared"), [("memory://", False), ("redis://host", True), ("rediss://host", True)])
def test_only_redis_is_shared(url, shared):
    assert Config.load({"NOTIWAY_BROKER_URL": url}, environ={}).broker_is_shared is shared


def test_a_config_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        Config.load({}, environ={}).env = "development"


def test_every_setting_is_one_of_the_environment():
    environ = {"NOTIWAY_HEARTBEAT_SECONDS": "2.5", "NOTIWAY_URL_PREFIX": "/bell", "NOTIWAY_ENV": "development"}
    config = Config.load({}, environ)
    assert (config.heartbeat_seconds, config.url_prefix, config.development) == (2.5, "/bell", True)
    assert all(spec.name == spec.name.lower() for spec in fields(Config))


@pytest.mark.parametrize("settings", [{}, {"NOTIWAY_ENV": "production"}])
def test_a_weak_token_secret_is_refused_in_production(settings):
    with pytest.raises(ConfigError, match=r"NOTIWAY_TOKEN_SECRET.*32 bytes") as refused:
        Config.load({"NOTIWAY_TOKEN_SECRET": "swordfish", **settings}, environ={})
    assert "swordfish" not in str(refused.value)


@pytest.mark.parametrize("settings", [{"NOTIWAY_ENV": "development"}, {"TESTING": True}, {"DEBUG": True}])
def test_development_and_tests_may_have_a_weak_token_secret(settings):
    assert Config.load({"NOTIWAY_TOKEN_SECRET": "swordfish", **settings}, environ={}).token_secret == "swordfish"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("NOTIWAY_RETENTION_DAY", " (NOTIWAY_RETENTION_DAYS?)"),
        ("notiway_retention_days", " (NOTIWAY_RETENTION_DAYS?)"),
        ("NOTIWAY_TRUSTED_PROXY", " (NOTIWAY_TRUSTED_PROXIES?)"),
        ("NOTIWAY_XYZ", ""),
    ],
)
def test_a_name_that_is_no_setting_is_found_with_the_nearest_one(name, said):
    assert unknown_settings({name: "secret"}, {"HOME": "/", "NOTIWAY_JOBS": "off"}) == [(name, said)]
    assert unknown_settings({"DEBUG": True}, {name: "secret"}) == [(name, said)]


def test_settings_are_known():
    given = {f"NOTIWAY_{spec.name.upper()}": "x" for spec in fields(Config)}
    assert unknown_settings(given, given) == []

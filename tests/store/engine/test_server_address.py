"""Server address: an URL of PostgreSQL is read as PostgreSQL reads it, and a server is not waited for without end."""

import pytest

from notiway.store.engine.server_address import PATIENCE, Patience, read
from notiway.values.errors import ConfigError


def test_percent_signs_in_names_and_passwords_are_read():
    name, address = read("postgresql://a%40b:p%2Fss%20word@db.example/my%20data")
    assert (name, address["user"], address["password"]) == ("my data", "a@b", "p/ss word")


def test_several_hosts_sockets_and_certificates_reach_the_driver():
    url = "postgresql://app@one:5432,two:5433/shop?target_session_attrs=read-write&sslmode=verify-full&sslrootcert=/ca.pem"
    _, address = read(url)
    assert address["host"] == "one,two"
    assert address["port"] == "5432,5433"
    assert address["target_session_attrs"] == "read-write"
    assert (address["sslmode"], address["sslrootcert"]) == ("verify-full", "/ca.pem")
    assert read("postgresql://app@%2Fvar%2Frun%2Fpostgresql/shop")[1]["host"] == "/var/run/postgresql"


@pytest.mark.parametrize("scheme", ["postgresql", "postgres"])
def test_a_server_has_limits_and_a_name_for_its_clients(scheme):
    _, address = read(f"{scheme}://app@db/shop", Patience(1.5, 2, 0))
    assert address["options"] == (
        "-c statement_timeout=1500 -c lock_timeout=2000 -c idle_in_transaction_session_timeout=0"
    )
    assert address["fallback_application_name"] == "notiway"
    assert address["connect_timeout"] == 5


def test_what_the_url_says_comes_last_and_so_goes_before_it():
    _, address = read(
        "postgresql://app@db/shop?options=-c%20statement_timeout%3D7&keepalives_idle=5&application_name=web"
    )
    assert address["options"] == f"{PATIENCE.as_options()} -c statement_timeout=7"
    assert (address["keepalives_idle"], address["application_name"]) == ("5", "web")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://app:hunter2@[::1/shop",
        "postgresql://app:hunter2@db/shop?max_connections=3",
        "postgresql://app:hunter2@db/shop?sslmode",
        "postgresql://app:hunter2@db",
    ],
)
def test_an_address_that_cannot_be_read_is_refused_without_its_password(url):
    with pytest.raises(ConfigError) as caught:
        read(url)
    assert "NOTIWAY_DATABASE_URL" in str(caught.value)
    assert "hunter2" not in str(caught.value)

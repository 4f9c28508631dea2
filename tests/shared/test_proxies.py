"""Who is believed about a client's address, and which lists of proxies and origins are accepted."""

import pytest

from shared.http.proxies import client_address, trusted_proxies
from shared.ops.settings import settings_from

INSIDE = trusted_proxies("10.0.0.0/8, fd00::/8, 192.0.2.1")
NEEDED = {"DATABASE_URL": "postgresql://a/b", "REDIS_URL": "redis://c", "SHOP_ENV": "development"}


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("203.0.113.9", None, "203.0.113.9"),
        ("203.0.113.9", "198.51.100.7", "203.0.113.9"),
        ("10.1.2.3", None, "10.1.2.3"),
        ("10.1.2.3", "198.51.100.7", "198.51.100.7"),
        ("192.0.2.1", "198.51.100.7, 10.9.9.9", "198.51.100.7"),
        ("10.1.2.3", "1.1.1.1, 198.51.100.7,10.9.9.9", "198.51.100.7"),
        ("10.1.2.3", "10.8.8.8, 10.9.9.9", "10.8.8.8"),
        ("10.1.2.3", "2001:db8::1", "2001:db8::1"),
        ("fd00::1", "2001:DB8:0::1", "2001:db8::1"),
        ("::ffff:10.1.2.3", "198.51.100.7", "198.51.100.7"),
        ("10.1.2.3", "unknown", "10.1.2.3"),
        ("10.1.2.3", "1.1.1.1, unknown, 10.9.9.9", "10.9.9.9"),
        ("10.1.2.3", "", "10.1.2.3"),
        ("10.1.2.3", ",", "10.1.2.3"),
        ("10.1.2.3", "198.51.100.7:443", "10.1.2.3"),
        ("", "198.51.100.7", ""),
        ("", None, ""),
    ],
)
def test_the_client_is_the_first_from_the_right_that_is_no_trusted_proxy(
    peer: str, forwarded: str | None, client: str
) -> None:
    assert client_address(INSIDE, peer, forwarded) == client


def test_a_peer_without_address_is_believed_when_unix_sockets_are_trusted() -> None:
    assert client_address(trusted_proxies("unix"), "", "198.51.100.7") == "198.51.100.7"


def test_nobody_is_trusted_unless_named() -> None:
    assert not trusted_proxies(" , ")
    assert client_address(trusted_proxies(""), "127.0.0.1", "198.51.100.7") == "127.0.0.1"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TRUSTED_PROXIES", "10.0.0.0/40"),
        ("TRUSTED_PROXIES", "proxy.example"),
        ("CORS_ORIGINS", "*"),
        ("CORS_ORIGINS", "https://shop.example/"),
        ("CORS_ORIGINS", "shop.example"),
        ("LOG_LEVEL", "LOUD"),
    ],
)
def test_a_setting_that_makes_no_sense_is_named(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=name):
        settings_from(NEEDED | {name: value})


def test_lists_are_read_from_the_environment() -> None:
    read = settings_from(
        NEEDED
        | {
            "CORS_ORIGINS": "https://a.example, http://localhost:3000,http://[::1]:80",
            "TRUSTED_PROXIES": "127.0.0.1",
            "DRAIN_S": "2.5",
            "ACCESS_LOG": "1",
        }
    )
    assert read.cors_origins == {"https://a.example", "http://localhost:3000", "http://[::1]:80"}
    assert client_address(read.trusted_proxies, "127.0.0.1", "198.51.100.7") == "198.51.100.7"
    assert (read.drain_s, read.access_log) == (2.5, True)

"""What GATEWAY_REDIS_URL can say, and how what it cannot say is refused (F28: by its name, without its value)."""

import pytest

from gateway.store.redis.address import RedisAddress, SetUp
from servicekit.settings_faults import SettingsFault
from tests.stage.world import gateway_settings

GOOD = (
    ("redis://localhost", RedisAddress(SetUp.SINGLE, (("localhost", 6379),))),
    (
        "rediss://step:p%40ss@redis.internal:6380/3",
        RedisAddress(
            SetUp.SINGLE, (("redis.internal", 6380),), tls=True, username="step", password="p@ss", database=3
        ),
    ),
    ("redis://:word@[::1]:7000/0", RedisAddress(SetUp.SINGLE, (("::1", 7000),), password="word")),
    (
        "unix://step:word@/run/redis.sock?db=2",
        RedisAddress(SetUp.SINGLE, socket="/run/redis.sock", username="step", password="word", database=2),
    ),
    (
        "redis+sentinel://u:p@one:26379,two/mymaster/1?sentinel_username=s&sentinel_password=t",
        RedisAddress(
            SetUp.SENTINEL,
            (("one", 26379), ("two", 26379)),
            username="u",
            password="p",
            database=1,
            master="mymaster",
            sentinel_username="s",
            sentinel_password="t",
        ),
    ),
    (
        "rediss+cluster://one:7000,two:7001",
        RedisAddress(SetUp.CLUSTER, (("one", 7000), ("two", 7001)), tls=True),
    ),
)
BAD = (
    ("http://hunter2@redis", "is not a Redis address"),
    ("redis+magic://hunter2@redis", "is not a Redis address"),
    ("redis://hunter2@", "lacks a host"),
    ("redis://u:hunter2@ho st", "lacks a host"),
    ("redis://u:hunter2@host:99999", "a port that does not exist"),
    ("redis://u:hunter2@host/two", "a database that is not a number"),
    ("redis://u:hunter2@one,two", "names several servers"),
    ("redis://u:hunter2@one?socket_timeout=60", "a query with a name that is not known"),
    ("unix://u:hunter2@", "lacks a path"),
    ("redis+sentinel://u:hunter2@one:26379", "lacks the master's name"),
    ("redis+cluster://u:hunter2@one:7000/1", "a cluster has only one"),
)


@pytest.mark.parametrize("text, address", GOOD)
def test_an_address_is_read(text: str, address: RedisAddress) -> None:
    assert RedisAddress.parse(text) == address


def test_an_address_shows_no_password() -> None:
    address = RedisAddress.parse("redis+sentinel://u:hunter2@one/m?sentinel_password=hunter2")

    assert "hunter2" not in repr(address)


@pytest.mark.parametrize("text, sentence", BAD)
def test_an_address_that_cannot_be_read_is_told_without_its_secrets(text: str, sentence: str) -> None:
    with pytest.raises(SettingsFault) as fault:
        gateway_settings(REDIS_URL=text)

    assert str(fault.value).startswith("GATEWAY_REDIS_URL is set, but")
    assert sentence in str(fault.value)
    assert "hunter2" not in str(fault.value)


@pytest.mark.parametrize(
    "name, sentence",
    [
        ("REDIS_PASSWORD_FILE", "is not a file that can be read"),
        ("REDIS_CA_BUNDLE", "is not a file that can be read"),
    ],
)
def test_a_file_that_is_not_there_is_told(name: str, sentence: str) -> None:
    with pytest.raises(SettingsFault, match=sentence):
        gateway_settings(REDIS_URL="redis://x", **{name: "/nowhere/file"})


def test_a_file_without_certificates_is_told() -> None:
    with pytest.raises(SettingsFault, match="holds no certificates in PEM form"):
        gateway_settings(REDIS_URL="rediss://x", REDIS_CA_BUNDLE=__file__)

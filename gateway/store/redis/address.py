"""What GATEWAY_REDIS_URL can say, and what it means.

Owns the forms of the address: one server, a unix socket, Sentinel, Cluster; each with or without TLS.
Never connects, and never shows a password.

    redis://user:password@host:6379/0            rediss://…   with TLS
    unix://user:password@/run/redis.sock?db=0
    redis+sentinel://user:password@one:26379,two:26379/mymaster/0?sentinel_username=u&sentinel_password=p
    redis+cluster://user:password@one:7000,two:7001      (rediss+sentinel, rediss+cluster: with TLS)
"""

import enum
import re
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

PORT: Final = 6379
SENTINEL_PORT: Final = 26_379
_SCHEME: Final = re.compile(r"(?:(rediss?)(?:\+(sentinel|cluster))?|unix)")
_LARGEST_PORT: Final = 65_535


class SetUp(enum.Enum):
    """How Redis is run."""

    SINGLE = "single"
    SENTINEL = "sentinel"
    CLUSTER = "cluster"


@dataclass(frozen=True, slots=True)
class RedisAddress:
    """Where Redis is, and as whom to go there; of Sentinel, `nodes` are the sentinels."""

    set_up: SetUp
    nodes: tuple[tuple[str, int], ...] = ()
    socket: str = ""
    tls: bool = False
    username: str = ""
    password: str = field(default="", repr=False)
    database: int = 0
    master: str = ""
    sentinel_username: str = ""
    sentinel_password: str = field(default="", repr=False)

    @classmethod
    def parse(cls, text: str) -> "RedisAddress":
        """Read an address; raises ValueError with a phrase that goes on from "which" and shows no part of it."""
        if "#" in text:
            raise ValueError("holds a #, which a password has as %23")
        parts = urlsplit(text)
        form = _SCHEME.fullmatch(parts.scheme)
        if not form:
            raise ValueError("is not a Redis address")
        login, _, hosts = parts.netloc.rpartition("@")
        username, _, password = login.partition(":")
        query = _query(parts.query)
        if form[0] == "unix":
            return cls(
                SetUp.SINGLE,
                socket=_there(unquote(parts.path), "a path"),
                username=unquote(username),
                password=unquote(password),
                database=_database(_nothing_but(query, "db").get("db", "")),
            )
        set_up = SetUp(form[2] or "single")
        nodes = tuple(
            _node(host, SENTINEL_PORT if set_up is SetUp.SENTINEL else PORT) for host in hosts.split(",")
        )
        if set_up is SetUp.SINGLE and len(nodes) != 1:
            raise ValueError("names several servers; several belong to redis+sentinel:// or redis+cluster://")
        path = parts.path.strip("/")
        master = ""
        if set_up is SetUp.SENTINEL:
            master, _, path = path.partition("/")
            master = _there(unquote(master), "the master's name, as in redis+sentinel://host:26379/mymaster")
            _nothing_but(query, "sentinel_username", "sentinel_password")
        else:
            _nothing_but(query)
        if set_up is SetUp.CLUSTER and _database(path):
            raise ValueError("names a database, and a cluster has only one")
        return cls(
            set_up,
            nodes,
            tls=form[1] == "rediss",
            username=unquote(username),
            password=unquote(password),
            database=_database(path),
            master=master,
            sentinel_username=query.get("sentinel_username", ""),
            sentinel_password=query.get("sentinel_password", ""),
        )


def _query(text: str) -> dict[str, str]:
    return dict(parse_qsl(text, keep_blank_values=True))


def _nothing_but(query: dict[str, str], *names: str) -> dict[str, str]:
    if set(query) - set(names):
        raise ValueError("has a query with a name that is not known")
    return query


def _there(text: str, what: str) -> str:
    if not text:
        raise ValueError(f"lacks {what}")
    return text


def _database(text: str) -> int:
    if text and not re.fullmatch(r"[0-9]{1,4}", text):
        raise ValueError("names a database that is not a number")
    return int(text or 0)


def _node(text: str, port: int) -> tuple[str, int]:
    match = re.fullmatch(r"(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9._-]+))(?::([0-9]{1,5}))?", text)
    if not match:
        raise ValueError("lacks a host, or has one that cannot be read")
    if match[3] and not 0 < int(match[3]) <= _LARGEST_PORT:
        raise ValueError("has a port that does not exist")
    return match[1] or match[2], int(match[3] or port)

"""Addresses that a stranger names: where to return to, who is behind a proxy, what a setting points at."""

import ipaddress
import re
from typing import Final
from urllib.parse import unquote, urlsplit

from gateway.edge.client_address import ClientAddresses
from gateway.edge.file_folder import parts_of
from gateway.edge.origins import OurOrigins
from gateway.flows.flow_record import LONGEST_PATH, local_path
from gateway.flows.return_address import return_address
from servicekit.networks import UNKNOWN
from servicekit.web_address import read_web_address
from tests.fuzz.target import Target, text_of
from tests.stage.parsed_request import parsed_request

_NOT_PAGES: Final = ("/auth", "/api", "/health", "/metrics", "/problem")
_FRONT_END: Final = "https://app.example.com:8443"
_PROXIES: Final = [ipaddress.ip_network(text) for text in ("10.0.0.0/8", "fd00::/8")]
_PORT: Final = re.compile(r"(?:\[([^\]]+)\]|([0-9.]+))(?::[0-9]{1,5})?")


def _as_a_browser(address: str) -> str:
    """Return the path to which browsers resolve an address on our page; "//" where it is another host's.

    Written from the URL Standard: tabs and ends of lines are passed over, backslashes are slashes, dots are steps.
    """
    seen = re.sub(r"[\t\r\n]", "", address).strip("".join(map(chr, range(33)))).replace("\\", "/")
    path = re.split(r"[?#]", seen)[0]
    if not path.startswith("/") or path.startswith("//"):
        return "//"
    steps: list[str] = []
    for step in path[1:].split("/"):
        if re.fullmatch(r"(?:\.|%2e){2}", step, re.IGNORECASE):
            del steps[-1:]
        elif not re.fullmatch(r"\.|%2e", step, re.IGNORECASE):
            steps.append(step)
    return "/" + "/".join(steps)


def _check_return_to_front_end(data: bytes) -> None:
    for text in (text_of(data), f"{_FRONT_END}{text_of(data)}"):
        found = return_address(text, OurOrigins("http://localhost:3000", [_FRONT_END]))
        assert re.fullmatch(r"[!-~]*", found)
        assert len(found) <= LONGEST_PATH
        path = found.removeprefix(_FRONT_END)
        assert path.startswith("/")
        for read in (path, unquote(path.partition("?")[0].partition("#")[0])):
            assert not _as_a_browser(read).startswith("//")


def _check_return(data: bytes) -> None:
    found = local_path(text_of(data))
    assert re.fullmatch(r"/[!-~]*", found)
    assert len(found) <= LONGEST_PATH
    assert local_path(found) == found
    path = re.split(r"[?#]", found)[0]
    for read in (found, unquote(path), unquote(unquote(path))):
        resolved = _as_a_browser(read)
        assert not resolved.startswith("//")
        assert not resolved.startswith(tuple(f"{place}/" for place in _NOT_PAGES))
    assert path not in _NOT_PAGES
    assert not path.startswith("/problem")
    _check_return_to_front_end(data)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    text = text.strip()
    if with_port := _PORT.fullmatch(text):
        text = with_port[1] or with_port[2]
    try:
        read = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = getattr(read, "ipv4_mapped", None)
    return mapped or (ipaddress.ip_address(str(read).partition("%")[0]))


def _is_proxy(address: object) -> bool:
    return any(address in network for network in _PROXIES)


def _check_forwarded(data: bytes) -> None:
    peer, _, fields = data.partition(b"\n")
    request = parsed_request(("X-Forwarded-For", text_of(field)) for field in fields.split(b"\n"))
    if request is None:
        return
    found = ClientAddresses(str(network) for network in _PROXIES).of(request.clone(remote=text_of(peer)))
    client = _address(text_of(peer))
    for named in reversed(text_of(fields).replace("\n", ",").split(",")):
        if client is None or not _is_proxy(client) or _address(named) is None:
            break
        client = _address(named)
    assert found.text == (UNKNOWN if client is None else str(client))
    assert found.text == UNKNOWN or re.fullmatch(r"[0-9a-f.:]+", found.text)
    if client is not None:
        assert client in ipaddress.ip_network(found.network)
        assert ipaddress.ip_network(found.network).prefixlen == (24 if client.version == 4 else 56)


def _check_web_address(data: bytes) -> None:
    try:
        found = read_web_address(text_of(data))
    except ValueError:
        return
    assert read_web_address(str(found)) == found
    parts = urlsplit(str(found))
    assert parts.scheme in {"http", "https"}
    assert parts.username is None
    assert str(found).isascii()


def _check_file_path(data: bytes) -> None:
    parts = parts_of(text_of(data))
    for place, part in enumerate(parts or ()):
        assert not part.startswith(".") or (place, part) == (0, ".well-known")
        assert "/" not in part
        assert "\\" not in part
        assert "\0" not in part
        assert part or place == len(parts or ()) - 1


TARGETS: Final = (
    Target(
        "file-path",
        "no name of a path is hidden, leads up, or holds what ends or parts names, however it is written",
        _check_file_path,
        [
            *(
                b"/",
                b"//",
                b".",
                b"..",
                b"%2e",
                b"%2f",
                b"%5c",
                b"%00",
                b"%252e",
                b"%25",
                b"%",
                b"\\",
                b" ",
                b"%0a",
            ),
            *(b".well-known", b"index.html", b"a", b"%c3%bc", b"%ff", b"\xff", b"\xc3\xbc", b"?", b"#", b";"),
        ],
    ),
    Target(
        "return-address",
        "the way back is printable ASCII, a page of ours, and stays one when it is read once or twice again",
        _check_return,
        [
            *(
                b"/",
                b"//",
                b"\\",
                b"%",
                b"%2f",
                b"%252f",
                b"%5c",
                b".",
                b"..",
                b"/./",
                b"%2e",
                b"?",
                b"#",
                b"@",
                b":",
            ),
            *(
                b"\t",
                b"\r\n",
                b" ",
                b"\xe2\x88\x95",
                b"\xef\xbc\x8f",
                b"evil.example",
                b"https:",
                b"javascript:",
            ),
            *(
                b"auth",
                b"api",
                b"problem",
                b"health",
                b"metrics",
                b"edit",
                b"\xff",
                b"%ff",
                b"%E2%88%95",
                b";",
            ),
        ],
    ),
    Target(
        "forwarded-for",
        "a client is the last address that no proxy of ours has, and a stranger's words are never one",
        _check_forwarded,
        [
            *(
                b",",
                b", ",
                b"\n",
                b" ",
                b"10.0.0.1",
                b"10.9.9.9:80",
                b"203.0.113.9",
                b"fd00::1",
                b"[fd00::1]:443",
                b"::1",
            ),
            *(
                b"::ffff:10.0.0.1",
                b"unknown",
                b"_hidden",
                b"2001:db8::1%eth0",
                b"for=",
                b"0x0a000001",
                b"010.0.0.1",
            ),
            *(b"\xd9\xa1.0.0.1", b"\xff", b"99999", b"[", b"]", b":"),
        ],
    ),
    Target(
        "web-address",
        "an address is refused, or in a normal form that is read the same again",
        _check_web_address,
        [
            *(
                b"https://",
                b"http:",
                b"//",
                b"/",
                b"\\",
                b"@",
                b":",
                b"[",
                b"]",
                b"::1",
                b"?",
                b"#",
                b"%2e",
                b"..",
                b".",
            ),
            *(
                b"example",
                b".com",
                b"xn--",
                b"\xc3\xbc",
                b"\xe3\x80\x82",
                b"0x7f.1",
                b"2130706433",
                b":443",
                b"\xff",
                b" ",
            ),
        ],
    ),
)

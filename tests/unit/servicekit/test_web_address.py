"""Addresses in normal form: what a browser makes of a text decides, and what nobody means is refused."""

import json
import re
import shutil
import subprocess
from typing import Final

import pytest

from servicekit.web_address import read_web_address
from tests.stage.npm_packages import node_wheel

NORMAL: Final = {
    "https://bücher.example": "https://xn--bcher-kva.example",
    "https://BÜCHER.example": "https://xn--bcher-kva.example",
    "https://xn--bcher-kva.example": "https://xn--bcher-kva.example",
    "https://XN--BCHER-KVA.Example": "https://xn--bcher-kva.example",
    "https://faß.example": "https://xn--fa-hia.example",
    "https://例え.テスト": "https://xn--r8jz45g.xn--zckzah",
    "https://a\u3002example": "https://a.example",
    "https://\uff50\uff52\uff4f\uff46\uff49\uff4c\uff45.example": "https://profile.example",
    "https://a\u00adb.example": "https://ab.example",
    # A name of Persian, with the joiner that it cannot be written without.
    "https://\u0646\u0627\u0645\u0647\u200c\u0627\u06cc.example": "https://xn--mgba3gch31f060k.example",
    "HTTPS://Profile.Example": "https://profile.example",
    "https://profile.example:443": "https://profile.example",
    "https://profile.example:0443": "https://profile.example",
    "https://profile.example:": "https://profile.example",
    "http://localhost:80": "http://localhost",
    "https://profile.example:80": "https://profile.example:80",
    "https://profile.example/": "https://profile.example/",
    "https://profile.example//": "https://profile.example//",
    "https://profile.example/a%20b/": "https://profile.example/a%20b/",
    "https://xn--53h.example": "https://xn--53h.example",
    "https://under_score": "https://under_score",
    "http://127.1": "http://127.0.0.1",
    "http://0x7f000001": "http://127.0.0.1",
    "http://0x7F.1": "http://127.0.0.1",
    "http://0177.0.0.1": "http://127.0.0.1",
    "http://2130706433:3000": "http://127.0.0.1:3000",
    "http://\uff11\uff12\uff17.0.0.1": "http://127.0.0.1",
    "http://1.2.3": "http://1.2.0.3",
    "http://[0:0:0:0:0:0:0:1]:3000": "http://[::1]:3000",
    "http://[2001:DB8::0:1]": "http://[2001:db8::1]",
    "http://[2001:db8:0:1:1:1:1:1]": "http://[2001:db8:0:1:1:1:1:1]",
    "http://[::ffff:127.0.0.1]": "http://[::ffff:7f00:1]",
}
REFUSED: Final = {
    "": "is not an http or https address",
    "profile.example": "is not an http or https address",
    "//profile.example": "is not an http or https address",
    "https:profile.example": "is not an http or https address",
    "https:/profile.example": "is not an http or https address",
    "ftp://profile.example": "is not an http or https address",
    "https://": "it lacks a host",
    "https://:443": "it lacks a host",
    "https:///path": "it lacks a host",
    "https://user:sesame@profile.example": "holds a user name or a password",
    "https://@profile.example": "holds a user name or a password",
    "https://profile.example@evil.example": "holds a user name or a password",
    "https://profile.example\\@evil.example": "holds a backslash",
    "https:\\\\profile.example": "holds a backslash",
    "https://pro file.example": "holds a space",
    "https://pro\u3000file.example": "holds a space",
    "https://pro\tfile.example": "holds a space",
    "https://pro\nfile.example": "holds a space",
    "https://profile.example?x": "it has a query or a fragment",
    "https://profile.example/?": "it has a query or a fragment",
    "https://profile.example#": "it has a query or a fragment",
    "https://profile.example:0": "it has a port that does not exist",
    "https://profile.example:65536": "it has a port that does not exist",
    "https://profile.example:" + "9" * 5000: "it has a port that does not exist",
    "https://profile.example:web": "it has a host or a port that cannot be read",
    "https://profile.example:\u0663": "it has a host or a port that cannot be read",
    "https://profile.example:3000:1": "without brackets around it",
    "https://::1": "without brackets around it",
    "https://[::1": "it has a host or a port that cannot be read",
    "https://[::1]a": "it has a host or a port that cannot be read",
    "https://[profile]": "has a host that is no IPv6 address",
    "https://[fe80::1%eth0]": "a zone",
    "https://[::]": "nobody can be reached at",
    "http://0.0.0.0:3000": "nobody can be reached at",
    "http://0": "nobody can be reached at",
    "https://profile%2eexample": "has a percent sign in its host",
    "https://profile.example.": "has a dot behind its host",
    "https://profile\u3002": "has a dot behind its host",
    "https://127.0.0.1.": "has a dot behind its host",
    "https://profile..example": "has a host that is no name",
    "https://.example": "has a host that is no name",
    "https://-profile.example": "has a host that is no name",
    "https://pro<file.example": "has a host that is no name",
    "https://" + "a" * 64 + ".example": "has a host that is no name",
    "https://" + ".".join(["a" * 60] * 5): "has a host that is no name",
    "https://xn--a.example": "has a host that is no name",
    "https://xn--profile-.example": "has a host that is no name",
    "https://\u2100.example": "the form with xn--",
    "https://a\u202eb.example": "the form with xn--",
    "https://256.1.1.1": "is no IPv4 address",
    "https://1.2.3.4.5": "is no IPv4 address",
    "https://1.2.3.08": "is no IPv4 address",
    "https://profile.1": "is no IPv4 address",
    "https://4294967296": "is no IPv4 address",
    "https://" + "9" * 60: "is no IPv4 address",
    "https://profile.example/a/../b": "dots for segments",
    "https://profile.example/%2E%2e": "dots for segments",
    "https://profile.example/ü": "must be percent-encoded",
}


@pytest.mark.parametrize("text", NORMAL)
def test_X3_an_address_is_brought_to_the_browser_s_spelling(text: str) -> None:
    assert str(read_web_address(text)) == NORMAL[text]
    assert str(read_web_address(NORMAL[text])) == NORMAL[text]


@pytest.mark.parametrize("text", REFUSED)
def test_X3_what_nobody_means_is_refused_with_a_phrase(text: str) -> None:
    with pytest.raises(ValueError, match=re.escape(REFUSED[text])) as refused:
        read_web_address(text)

    assert "sesame" not in str(refused.value)


def test_X3_the_url_parser_of_browsers_agrees() -> None:
    """Node.js reads addresses by the URL Standard, as browsers do, and by the same code as Chromium's neighbours."""
    wheel = node_wheel()
    node = str(wheel / "bin" / "node") if wheel else shutil.which("node")
    assert node, "the tests bring a Node.js along"
    program = (
        "process.stdout.write(JSON.stringify(JSON.parse(process.argv[1]).map(text => new URL(text).origin)))"
    )
    ran = subprocess.run(
        [node, "--eval", program, json.dumps(list(NORMAL))], capture_output=True, text=True, check=True
    )

    assert json.loads(ran.stdout) == [read_web_address(text).origin for text in NORMAL]


@pytest.mark.parametrize(
    "text, there",
    [
        ("http://localhost:3000", True),
        ("http://LOCALHOST", True),
        ("http://127.1", True),
        ("http://127.0.0.2", True),
        ("http://[::1]", True),
        ("http://localhost.example", False),
        ("http://127.0.0.1.example", False),
        ("http://10.0.0.1", False),
        ("http://[2001:db8::1]", False),
    ],
)
def test_loopback_is_known_in_every_spelling(text: str, *, there: bool) -> None:
    assert read_web_address(text).is_on_loopback is there

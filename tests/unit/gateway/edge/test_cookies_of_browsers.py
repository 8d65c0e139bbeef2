"""What a conforming browser stores and sends comes back to the letter, whatever neighbours made it store (A1)."""

from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.edge.cookies import cookie_values, cookies
from gateway.flows.flow_record import FlowStore
from gateway.session.cookie import COOKIE, SessionCookie
from tests.stage.parsed_request import parsed_request
from tests.stage.user_agent import UserAgent

OURS = f"{COOKIE}=fffffffffffffffffffffg.{'i' * 43}.{'s' * 42}A"
FLOW = f"__Host-Http-flow-{'n' * 16}=1750000000.{'s' * 43}"
# What readers of cookies disagree about, whole names of ours among it.
PIECES = st.sampled_from(
    [
        *(
            " ",
            "\t",
            ";",
            "=",
            '"',
            "\\",
            ",",
            "{",
            "$",
            "%3D",
            "x",
            "1",
            "é",
            "\u2000",
            "\u00a0",
            "\u3000",
            "\udcff",
        ),
        *(
            "$Version",
            "$Path",
            "expires",
            "Domain",
            COOKIE,
            COOKIE.lower(),
            "__Host-",
            "__Http-",
            "x=1 ",
            OURS,
            FLOW,
        ),
    ]
)
LINES = st.lists(st.one_of(PIECES, st.characters(max_codepoint=0x2FF)), max_size=8).map("".join)


def sent(*fields: str) -> web.Request:
    request = parsed_request(("Cookie", field) for field in fields)
    assert request is not None
    return request


@settings(max_examples=250)
@given(st.lists(LINES, max_size=6), st.lists(LINES, max_size=6))
def test_A1_S12_our_cookies_come_back_to_the_letter_whatever_siblings_set(
    before: list[str], after: list[str]
) -> None:
    browser = UserAgent()
    for line in before:
        browser.takes(line, is_sibling=True)
    assert browser.takes(OURS, is_sibling=False)
    assert browser.takes(FLOW, is_sibling=False)
    for line in after:
        browser.takes(line, is_sibling=True)

    found = cookies(sent(browser.header))

    assert found[COOKIE] == OURS.partition("=")[2]
    assert found[FLOW.partition("=")[0]] == FLOW.partition("=")[2]


@settings(max_examples=250)
@given(st.lists(LINES, max_size=8))
def test_A1_S12_a_sibling_gives_nobody_a_cookie_of_our_name(lines: list[str]) -> None:
    browser = UserAgent()
    for line in lines:
        browser.takes(line, is_sibling=True)

    request = sent(browser.header)

    assert not [name for name in cookies(request) if name.startswith("__Host-")]
    assert SessionCookie.every(request) == []
    assert FlowStore.name_of_answer(request, {"state": "s"}) is None


@settings(max_examples=250)
@given(st.lists(LINES, max_size=8))
def test_A1_a_name_that_one_cookie_has_is_read_as_it_was_set(lines: list[str]) -> None:
    browser = UserAgent()
    for line in lines:
        browser.takes(line, is_sibling=False)
    nameless = [
        value.partition("=")[0].strip(" \t") for (name, _), value in browser.stored.items() if not name
    ]

    found = cookies(sent(browser.header))

    for (name, _), value in browser.stored.items():
        if name and name not in nameless:
            assert found[name] == value


@settings(max_examples=150)
@given(st.lists(LINES, min_size=1, max_size=6))
def test_A1_S12_how_proxies_part_the_header_changes_nothing(pairs: list[str]) -> None:
    pairs = ["".join(sign for sign in pair if sign.isprintable() and sign != ";") for pair in pairs]
    from_one = sent("; ".join(pairs))
    parted = sent(*pairs)

    assert cookies(from_one) == cookies(parted)
    assert cookie_values(from_one, COOKIE) == cookie_values(parted, COOKIE)

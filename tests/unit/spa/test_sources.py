"""What is true of the client's sources without a browser: no way to inject, nothing from elsewhere, nothing missing."""

import gzip
import re

import pytest

from servicekit.reference import FORM
from servicekit.version import VERSION
from tests.unit.spa import files

SCRIPTS = files.names(".js")
SHEETS = files.names(".css")
INDEX = files.text("index.html")

SINKS = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment|DOMParser|setHTML"
    r"|\beval\(|new Function|\.style\b|cssText|javascript:|\.srcdoc|setTimeout\(\s*['\"`]"
)


@pytest.mark.parametrize("name", SCRIPTS)
def test_S56_no_script_can_turn_text_into_markup_code_or_style(name: str) -> None:
    assert not SINKS.findall(files.code(name))


def test_S53_the_page_has_no_inline_script_style_or_handler() -> None:
    assert not re.search(r"\s(on\w+|style)=", INDEX)
    assert "<style" not in INDEX
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", INDEX))


@pytest.mark.parametrize("name", [*SCRIPTS, *SHEETS, "index.html"])
def test_S56_nothing_comes_from_elsewhere(name: str) -> None:
    foreign = re.findall(
        r"""(?:https?:)?//[\w.-]+\.\w+|url\(|@import""", files.code(name).replace("<!doctype", "")
    )
    # The one address is the name of SVG's namespace, which nobody opens.
    assert set(foreign) <= ({"http://www.w3.org"} if name == "dom.js" else set())


@pytest.mark.parametrize("name", SCRIPTS)
def test_every_import_resolves(name: str) -> None:
    assert set(files.imports(name)) <= set(SCRIPTS)


@pytest.mark.parametrize("name", SCRIPTS)
def test_no_script_needs_itself_by_way_of_others(name: str) -> None:
    needed, ahead = set[str](), set(files.imports(name))
    while ahead:
        needed |= ahead
        ahead = {target for one in ahead for target in files.imports(one)} - needed
    assert name not in needed


def test_every_file_that_the_page_names_exists() -> None:
    for path in re.findall(r"""(?:href|src)="/([^"]+)\"""", INDEX):
        assert (files.SPA / path).is_file(), path


def test_every_script_and_sheet_is_used() -> None:
    linked = set(re.findall(r"""(?:href|src)="/([^"]+\.(?:js|css))\"""", INDEX))
    reached = linked | {target for name in SCRIPTS for target in files.imports(name)}
    assert {*SCRIPTS, *SHEETS} <= reached


@pytest.mark.parametrize(
    "what, owners",
    [
        (r"\bfetch\(|XMLHttpRequest|sendBeacon", {"api.js", "client.js"}),
        (r"location\.(assign|replace|href\s*=)|window\.open", {"router.js"}),
        # How often a page that did not come up was loaded anew is noted where nothing blocks it.
        (r"\bhistory[.\[]", {"router.js", "not-loaded.js"}),
        (r"location\.reload", {"router.js", "not-loaded.js"}),
        (r"\blocalStorage\b", {"choices.js", "frame.js"}),
        (r"\bsessionStorage\b", {"tab-memory.js"}),
        (r"BroadcastChannel\(", {"tabs.js"}),
        (r"\bEventSource\b", {"client.js", "events.js"}),
        (r"document\.cookie|indexedDB", set()),
        # What anybody writes into an address is read where only our own forms are taken; no other window is heard.
        (r"searchParams|URLSearchParams", {"client.js", "views/problem.js"}),
        (r"postMessage|onmessage|'message'", {"tabs.js"}),
        (r"document\.referrer|window\.name|\blocation\.hash", set()),
    ],
)
def test_each_power_has_one_door(what: str, owners: set[str]) -> None:
    scripts = {name for name in SCRIPTS if re.search(what, files.code(name))}
    assert scripts <= owners


@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts_are_checked_explained_and_short(name: str) -> None:
    lines = files.text(name).splitlines()
    assert lines[0] == "// @ts-check"
    assert lines[1].startswith("/**")
    assert len(lines) <= 180
    assert "console.log" not in files.code(name)


@pytest.mark.parametrize("language", files.LANGUAGES)
def test_U18_the_client_stays_small(language: str) -> None:
    # A browser fetches the words of one language: test_U16_only_the_words_of_the_page_s_language_are_fetched.
    others = {name for other in set(files.LANGUAGES) - {language} for name in files.of_language(other)}
    fetched = "\n".join(files.text(name) for name in [*SCRIPTS, *SHEETS] if name not in others).encode()
    assert len(gzip.compress(fetched)) <= 50_000


def test_what_other_front_ends_load_stays_tiny_and_needs_nothing_else() -> None:
    assert len(gzip.compress(files.text("client.js").encode(), mtime=0)) <= 2_000
    assert files.imports("client.js") == []


def test_A8_the_client_shows_references_of_an_address_in_the_gateway_s_own_form_alone() -> None:
    assert f"const REFERENCE = /^{FORM}$/;" in files.text("views/problem.js")


def test_the_build_in_the_footer_is_the_package_version() -> None:
    assert f'<meta name="version" content="{VERSION}">' in INDEX


def test_U17_without_scripts_the_page_says_so() -> None:
    assert "<noscript>" in INDEX


def test_U5_the_skip_link_is_the_first_thing_on_the_page() -> None:
    body = INDEX.split("<body>")[1].lstrip()
    assert body.startswith('<a class="skip" href="#main">')

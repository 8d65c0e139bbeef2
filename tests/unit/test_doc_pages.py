"""Every page is found, its links lead somewhere, what it names is there, and it has one sentence per line."""

import functools
import re
from pathlib import Path
from typing import Final

import pytest

from tests.stage.sources import ROOT, modules

DOCS: Final = ROOT / "docs"
PAGES: Final = [*ROOT.glob("*.md"), *DOCS.glob("**/*.md"), *(ROOT / "benchmarks").glob("*.md")]
# Words of ours that readers had to translate; names of files, settings, metrics and tests may still hold them.
TRANSLATED: Final = {"journey": "flow", "lately": "recently"}
every_page = pytest.mark.parametrize("document", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())


def anchors(document: Path) -> set[str]:
    """Return the anchors that headings give a page."""
    heads = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@every_page
def test_U29_relative_links_lead_somewhere(document: Path) -> None:
    lost = []
    for link in re.findall(r"\]\(([^)\s]+)\)", document.read_text(encoding="utf-8")):
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        if re.match(r"[a-z]+:", link):
            continue
        if not target.exists() or (anchor and anchor not in anchors(target)):
            lost.append(link)

    assert lost == []


def links(document: Path) -> set[str]:
    """Return where the links of a page lead, without their anchors."""
    return set(re.findall(r"\]\(([^)\s#]+)[^)]*\)", document.read_text(encoding="utf-8")))


def test_U40_the_index_leads_to_every_page() -> None:
    kinds = ("tutorials", "how-to", "reference", "explanation")
    pages = {path.relative_to(DOCS).as_posix() for kind in kinds for path in (DOCS / kind).rglob("*.md")}

    assert {path.name for path in DOCS.iterdir() if path.is_dir()} == {*kinds, "pictures"}
    assert {link for link in links(DOCS / "README.md") if not re.match(r"https:", link)} == pages


def test_addresses_that_were_given_out_still_lead_to_their_pages() -> None:
    # The contract, the change log and messages of the release before name these.
    given_out = {
        "http-api.md",
        "problems.md",
        "redis.md",
        "settings.md",
        "security-coverage.md",
        "threat-model.md",
    }

    assert {path.name for path in DOCS.glob("*.md")} == given_out | {"README.md"}
    for name in given_out:
        (target,) = links(DOCS / name)
        assert Path(target).name == name


@functools.cache
def names_of_tests() -> frozenset[str]:
    """Return the names of all functions that are called as tests are."""
    tests = [module.text for module in modules(ROOT) if module.room == "tests"]
    return frozenset(name for text in tests for name in re.findall(r"def (test_\w+)\(", text))


@every_page
def test_files_and_tests_that_a_page_names_exist(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    rooms = "gateway|resource_api|servicekit|local_tenant|devstack|spa|tests|docs|benchmarks"
    files = set(re.findall(rf"`((?:{rooms})/[\w./-]+\.(?:py|js|json|toml|md|html|css))`", text))
    named = set(re.findall(r"`(test_\w+)`", text))

    assert {path for path in files if not (ROOT / path).exists()} == set()
    assert named - names_of_tests() == set()


def without_code(document: Path) -> str:
    """Return a page's text with a mark where code stood."""
    text = document.read_text(encoding="utf-8")
    return re.sub(r"^\s*```.*?^\s*```|`[^`]*`", "`", text, flags=re.DOTALL | re.MULTILINE)


@every_page
def test_markdown_has_one_sentence_per_line(document: Path) -> None:
    lines = [line for line in without_code(document).splitlines() if not line.lstrip().startswith(("|", "#"))]

    assert [line for line in lines if re.search(r"[a-z)`][.!?] [A-Z][a-z]", line)] == []


# The change log keeps the words of its time.
@pytest.mark.parametrize(
    "document",
    [page for page in PAGES if page.name != "CHANGELOG.md"],
    ids=lambda path: path.relative_to(ROOT).as_posix(),
)
def test_pages_use_the_words_of_the_standards(document: Path) -> None:
    prose = without_code(document)
    ours = re.compile(rf"(?<![\w/-])(?:{'|'.join(TRANSLATED)})s?\b", re.IGNORECASE)

    assert {word.lower() for word in ours.findall(prose)} == set()

"""What the page names: as few files as can be, each in the build, and nothing lost of what it was made of."""

import pytest

from gateway.edge.client_page import addressed, with_files_joined

PAGE = """<head>
    <script src="/choices.js"></script>
    <link rel="stylesheet" href="/one.css">
    <link rel="stylesheet" href="/two.css">
    <link rel="stylesheet" href="/paper.css" media="print">
    <link rel="modulepreload" href="/early.js">
    <script src="/early.js" type="module" async></script>
    <link rel="modulepreload" href="/app.js">
    <link rel="modulepreload" href="/views/first.js">
    <script src="/app.js" type="module"></script>
</head>
<a href="/">home</a> <a href="/edit?x=/app.js">edit</a> <a href="">again</a> <a href="//app.js">elsewhere</a>
"""
FILES = {
    "choices.js": b"choose();\n",
    "one.css": b"h1 { color: red }\n",
    "two.css": b"h1 { color: blue }\n",
    "paper.css": b"h1 { color: black }\n",
    "other.css": b"",
    "early.js": b"export const early = 1;\n",
    "app.js": b"import { early } from './early.js';\nimport { a } from './a.js';\na(early);\n",
    "a.js": b"export const a = () => import('./later.js');\n",
    "later.js": b"export const b = 2;\n",
    "views/first.js": b"import { a } from '../a.js';\nexport const view = a;\n",
}


def test_the_page_names_each_file_once_and_no_module_that_travels_in_another() -> None:
    page, files = with_files_joined(PAGE, FILES)

    assert (
        page
        == """<head>
    <script src="/choices.js"></script>
    <link rel="stylesheet" href="/page.css">
    <link rel="modulepreload" href="/early.js">
    <script src="/early.js" type="module" async></script>
    <link rel="modulepreload" href="/app.js">
    <script src="/app.js" type="module"></script>
</head>
<a href="/">home</a> <a href="/edit?x=/app.js">edit</a> <a href="">again</a> <a href="//app.js">elsewhere</a>
"""
    )
    assert sorted(files) == ["app.js", "choices.js", "early.js", "later.js", "other.css", "page.css"]
    assert b"view" in files["app.js"]


def test_style_sheets_are_one_in_their_order_and_those_for_paper_only_for_paper() -> None:
    assert with_files_joined(PAGE, FILES)[1]["page.css"] == (
        b"h1 { color: red }\nh1 { color: blue }\n@media print {\nh1 { color: black }\n}\n"
    )


@pytest.mark.parametrize(
    "name, content",
    [
        ("one.css", b"h1 { background: url(a.png) }"),
        ("two.css", b"@import 'other.css';"),
        ("two.css", b"@IMPORT 'other.css';"),
        ("paper.css", b'@charset "utf-8";'),
        ("two.css", b"@namespace svg 'http://www.w3.org/2000/svg';"),
        ("page.css", b"somebody's own"),
        ("one.css", None),
    ],
)
def test_style_sheets_that_would_mean_something_else_as_one_stay_as_they_lie(
    name: str, content: bytes | None
) -> None:
    given = {path: text for path, text in (FILES | {name: content}).items() if text is not None}

    page, files = with_files_joined(PAGE, given)

    assert page.count('rel="stylesheet"') == 3
    assert {path: text for path, text in files.items() if path.endswith(".css")} == {
        path: text for path, text in given.items() if path.endswith(".css")
    }


@pytest.mark.parametrize("strange", [b"export default 7;\n", b"\xff"])
def test_modules_that_cannot_be_joined_travel_one_by_one_and_are_preloaded_as_the_page_says(
    strange: bytes,
) -> None:
    given = FILES | {"later.js": strange}

    page, files = with_files_joined(PAGE, given)

    assert page.count("modulepreload") == 3
    assert {path: text for path, text in files.items() if path.endswith(".js")} == {
        path: text for path, text in given.items() if path.endswith(".js")
    }


def test_a_page_of_no_files_stays_as_it_is() -> None:
    page = "<h1>Nothing</h1>\n"

    assert with_files_joined(page, {"a.txt": b"a"}) == (page, {"a.txt": b"a"})


def test_addresses_of_files_are_below_the_build_and_no_others() -> None:
    page, files = with_files_joined(PAGE, FILES)

    assert addressed(page, "/assets/b", files) == page.replace('="/choices', '="/assets/b/choices').replace(
        '="/page', '="/assets/b/page'
    ).replace('="/early', '="/assets/b/early').replace('="/app', '="/assets/b/app')

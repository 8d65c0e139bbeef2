"""How the client's files travel: a page begins with a few, and each module is in one of them alone."""

import re
from collections import Counter

from gateway.edge.client_build import INDEX, name_of
from gateway.edge.spa_files import SpaFiles
from tests.unit.spa import files

SCRIPTS = files.names(".js")
BUILD = SpaFiles(files.SPA).current()
PAGE = BUILD.page.plain.decode()
SENT = {path: file.plain.decode() for path, file in BUILD.sent.items() if path.endswith(".js")}
# By what a module begins with, which says what it is for.
WORDS_OF = {name: files.text(name).split("*/", maxsplit=1)[0] for name in SCRIPTS}
MODULES_OF = {
    path: {name for name, words in WORDS_OF.items() if words in sent} for path, sent in SENT.items()
}


def test_the_page_begins_with_six_files_and_preloads_none() -> None:
    named = re.findall(rf"""(?:src|href)="/assets/{BUILD.name}/([^"]+)\"""", PAGE)
    assert set(named) == {"not-loaded.js", "choices.js", "page.css", "api.js", "app.js", "favicon.svg"}
    # WebKit (2.50) takes the refusal of what was preloaded for the answer at later loads, too.
    assert "modulepreload" not in PAGE


def test_every_file_of_the_page_is_of_its_build() -> None:
    named = re.findall(r"""(?:href|src)="([^"]+\.\w+)\"""", PAGE)
    assert named
    assert all(BUILD.file_at(address) for address in named), named


def test_the_first_screens_of_strangers_and_of_people_are_in_these_files_whole_and_nothing_else_is() -> None:
    first = ("app.js", "views/signed-out.js", "views/profile.js")
    needed = {name for root in first for name in files.loaded_with(root)}
    assert MODULES_OF["api.js"] | MODULES_OF["app.js"] == needed


def test_each_module_travels_in_one_file_alone() -> None:
    assert Counter(name for names in MODULES_OF.values() for name in names) == dict.fromkeys(SCRIPTS, 1)


def test_the_words_of_a_language_and_each_view_with_what_it_alone_needs_are_one_file() -> None:
    for language in files.LANGUAGES:
        assert MODULES_OF[f"words/{language}.js"] == {*files.of_language(language)}
    assert MODULES_OF["views/edit.js"] == {"views/edit.js", "field-row.js", "combobox.js"}


def test_no_module_waits_while_it_starts_but_for_the_words_which_import_nothing_else() -> None:
    # Whatever is loaded later imports from app.js, and would be waited for by what it waits for itself.
    waiting = [name for name in SCRIPTS if re.search(r"^(?:\S.*)?\bawait\b", files.code(name), re.MULTILINE)]
    assert waiting == ["words.js"]


def test_all_style_sheets_are_one() -> None:
    sheet = BUILD.sent["page.css"].plain
    for name in files.names(".css"):
        assert files.text(name).encode() in sheet
        assert name not in BUILD.sent


def test_a_build_is_named_after_what_is_sent_and_not_after_what_lies_in_the_folder() -> None:
    # Another release may join the same sources in another way, and browsers keep what a build's name has led to.
    lying = {path: file.plain for path, file in BUILD.files.items()}
    assert BUILD.name != name_of({INDEX: BUILD.index.plain, **lying})
    page = PAGE.replace(f"/assets/{BUILD.name}", "")
    assert BUILD.name == name_of(
        {INDEX: page.encode(), **{path: file.plain for path, file in BUILD.sent.items()}}
    )

"""Every sentence has a place: what scripts ask for exists, what exists is asked for, every problem type has words."""

import re
from collections.abc import Iterator
from typing import get_args

import pytest

import gateway.errors
import servicekit.errors
from gateway.endpoints.answers import ActivityEvent, EndReason, Outcome
from gateway.profile.fields import EDITABLE
from servicekit.problems import ProblemError
from tests.unit.spa import files

# What only the callback or the browser itself can find.
OWN_SLUGS = {
    "not-found",
    "offline",
    "unreachable",
    "timeout",
    "unexpected-answer",
    "sign-in-cancelled",
    "sign-in-expired",
    "sign-in-failed",
    "step-up-cancelled",
    "different-person",
}

# Keys that are put together from a value, by their beginning.
COMPOSED = (
    "field.",
    "hint.",
    "group.",
    "wrong.",
    "claim.",
    "claims.",
    "problem.",
    "data.",
    "theme.",
    "ended.",
    "conflict.",
    "leave.",
    "discard.",
    "look.",
    "activity.",
)

FIELD_ROW = re.compile(r"^  \['(\w+)', \{ limit: (\d+)(, required: true)?", re.MULTILINE)


# Importing these defines the problem types that are looked up as subclasses.
DEFINING = (gateway.errors, servicekit.errors)


def _slugs(kind: type[ProblemError]) -> Iterator[str]:
    if "slug" in vars(kind):
        yield kind.slug
    for leaf in kind.__subclasses__():
        if leaf.__module__.startswith(("gateway.", "servicekit.")):
            yield from _slugs(leaf)


def _asked_for() -> set[str]:
    scripts = [name for name in files.names(".js") if not name.startswith("words/")]
    return {key for name in scripts for key in re.findall(r"'([a-z][\w-]*(?:\.[\w-]+)*)'", files.code(name))}


def test_U16_every_text_that_a_script_asks_for_exists() -> None:
    scripts = [name for name in files.names(".js") if not name.startswith("words/")]
    keys = {key for name in scripts for key in re.findall(r"\bt\('([^']+)'", files.code(name))}
    of_problems = {
        f"problem.{slug}.{part}" for slug in files.problem_rows() for part in ("title", "happened", "todo")
    }
    assert keys <= {*files.words(), *of_problems}


def test_U16_no_text_is_left_over() -> None:
    keys = _asked_for()
    unused = {key for key in files.words() if key not in keys and not key.startswith(COMPOSED)}
    assert not unused


@pytest.mark.parametrize("slug", sorted({*_slugs(ProblemError), *OWN_SLUGS}))
def test_U11_every_problem_type_has_its_own_words(slug: str) -> None:
    title, happened, to_do = files.problem_rows()[slug]
    assert title
    assert happened.endswith(".")
    assert to_do.endswith(".")


def test_U11_what_a_problem_means_for_the_data_is_said_of_problems_that_there_are() -> None:
    rows = re.findall(r"^const (NOTHING|UNSURE) = \[(.+)\];$", files.text("problem-words.js"), re.MULTILINE)
    meanings = {name.lower(): set(re.findall(r"'([a-z-]+)'", slugs)) for name, slugs in rows}
    assert all(meanings[name] for name in ("nothing", "unsure"))
    assert meanings["nothing"] | meanings["unsure"] <= files.problem_rows().keys()
    assert not meanings["nothing"] & meanings["unsure"]
    assert {f"data.{meaning}" for meaning in (*meanings, "kept")} <= set(files.words())


@pytest.mark.parametrize("language", [other for other in files.LANGUAGES if other != "en"])
def test_U16_every_language_says_everything_with_the_same_values_in_it(language: str) -> None:
    english, other = files.words(), files.words(language)
    assert other.keys() == english.keys()
    assert {key for key in english if _holes(english[key]) != _holes(other[key])} == set()
    english_rows, rows = files.problem_rows(), files.problem_rows(language)
    assert rows.keys() == english_rows.keys()
    assert {slug for slug, texts in rows.items() if len(texts) != 3 or not all(texts)} == set()


def _holes(source: str) -> set[str]:
    """The values that a sentence takes, and its plural forms."""
    return set(re.findall(r"\{\w+\}|\b(?:one|other)(?=:)", source))


@pytest.mark.parametrize("language", files.LANGUAGES)
def test_U16_every_language_can_be_chosen(language: str) -> None:
    assert f"'{language}'" in files.text("choices.js")
    assert f"['{language}', async" in files.text("words.js")


def test_U11_no_two_problems_are_told_in_the_same_words() -> None:
    texts_of_problems = [texts[1] for texts in files.problem_rows().values()]
    assert len(texts_of_problems) == len(set(texts_of_problems))


def test_U3_the_form_has_the_fields_and_limits_of_the_server() -> None:
    form = {
        name: (int(limit), bool(required))
        for name, limit, required in FIELD_ROW.findall(files.text("fields.js"))
    }
    assert form == {field.name: (field.longest, field.required) for field in EDITABLE}


def test_every_field_has_a_label() -> None:
    assert {f"field.{name}" for name in EDITABLE.names} <= set(files.words())


@pytest.mark.parametrize("name", [name for name in files.names(".js") if name.startswith("views/")])
def test_U16_views_hold_no_sentences_of_their_own(name: str) -> None:
    code = re.sub(r"throw new \w+\([^)]*\)", "", files.code(name))
    assert not re.findall(r"'[A-Z][a-z]+ [a-z]+[^']*'", code)


@pytest.mark.parametrize("banned", ["please", "oops", "something went wrong", "submit", "sorry"])
def test_words_are_plain(banned: str) -> None:
    for name in files.names(".js"):
        if name.startswith("words/"):
            assert banned not in files.code(name).lower(), name


@pytest.mark.parametrize(
    "reason",
    [
        "expired",
        "signed-out",
        "revoked",
        "replaced",
        "ended-elsewhere",
        "ended-by-operator",
        "too-many-sessions",
    ],
)
def test_U9_every_end_of_a_session_is_told_apart(reason: str) -> None:
    sources = "".join(path.read_text("utf-8") for path in (files.ROOT / "gateway").rglob("*.py"))
    assert f'"{reason}"' in sources, "the gateway no longer ends sessions for this reason"
    assert f"ended.{reason}" in files.words()


def test_U9_every_reason_that_a_session_s_end_can_have_has_its_own_words() -> None:
    # Nobody is told of a session that went on under another cookie.
    reasons = {*get_args(EndReason.__value__)} - {"rotated"}
    assert {f"ended.{reason}" for reason in reasons} <= set(files.words())


@pytest.mark.parametrize(
    "name",
    [*get_args(ActivityEvent.__value__), *(one for one in get_args(Outcome.__value__) if one != "success")],
)
def test_A6_everything_that_is_told_of_an_account_has_its_own_words(name: str) -> None:
    assert f"activity.{name}" in files.words()

"""What may be changed, and what a body may look like: S44, S50, and the sample's flaw E12 (the body passed on)."""

import json
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resource_api.profile import EDITABLE
from tests.unit.resource_api.stage import Stage

TEN = {
    "city",
    "country",
    "displayName",
    "givenName",
    "jobTitle",
    "postalCode",
    "state",
    "streetAddress",
    "surname",
    "preferredLanguage",
}


def test_ten_fields_may_be_changed() -> None:
    assert set(EDITABLE.names) == TEN


@pytest.mark.parametrize(
    "name",
    [
        "id",
        "mail",
        "userPrincipalName",
        "identities",
        "accountEnabled",
        "passwordProfile",
        "otherMails",
        "mobilePhone",
        "@odata.type",
        "@odata.id",
        "displayName@odata.type",
        "extension_1_role",
        "onPremisesExtensionAttributes",
        "__proto__",
        "constructor",
        "toString",
        "DisplayName",
        " city",
        "city ",
        "",
        "c\u0131ty",
        "x" * 500,
        "a\nb",
    ],
)
async def test_S44_E12_any_other_field_is_refused_by_name_and_nothing_is_sent(
    stage: Stage, name: str
) -> None:
    answer = await stage.patch({"city": "Turin", name: "x"})

    assert (answer.status, answer.slug) == (422, "invalid-profile-patch")
    (error,) = answer.body["errors"]
    assert error["code"] == "unknown_field"
    assert error["field"].startswith(name[:1].replace("\n", "?"))
    assert len(error["field"]) <= 65
    assert await stage.asked("token.on_behalf_of") == []
    assert await stage.asked("graph.patch_me") == []


@pytest.mark.parametrize(
    "name, value, code",
    [
        ("displayName", "", "required"),
        ("displayName", "  \t ", "required"),
        ("displayName", None, "required"),
        ("displayName", "x" * 257, "too_long"),
        ("givenName", "x" * 65, "too_long"),
        ("surname", "x" * 65, "too_long"),
        ("jobTitle", "x" * 129, "too_long"),
        ("city", "x" * 129, "too_long"),
        ("country", "x" * 129, "too_long"),
        ("state", "x" * 129, "too_long"),
        ("postalCode", "x" * 41, "too_long"),
        ("streetAddress", "x" * 1025, "too_long"),
        ("givenName", "😀" * 33, "too_long"),  # 66 UTF-16 units
        ("preferredLanguage", "english!", "invalid_value"),
        ("preferredLanguage", "en_US", "invalid_value"),
        ("preferredLanguage", "e", "invalid_value"),
        ("city", "a\u0000b", "invalid_value"),
        ("city", "a\u001bb", "invalid_value"),
        ("city", "a\nb", "invalid_value"),
        ("city", "a\u0085b", "invalid_value"),
        ("city", "a\u2028b", "invalid_value"),
        ("city", "a\u202eb", "invalid_value"),
        ("city", 7, "wrong_type"),
        ("city", True, "wrong_type"),
        ("city", ["x"], "wrong_type"),
        ("city", {"x": "y"}, "wrong_type"),
        ("city", {"$ne": None}, "wrong_type"),
    ],
)
async def test_S44_each_field_has_its_limits(stage: Stage, name: str, value: object, code: str) -> None:
    answer = await stage.patch({name: value})

    assert (answer.status, answer.slug) == (422, "invalid-profile-patch")
    (error,) = answer.body["errors"]
    assert (error["field"], error["code"]) == (name, code)
    assert error["detail"]
    assert await stage.asked("token.on_behalf_of") == []


async def test_S44_all_faults_are_told_at_once(stage: Stage) -> None:
    answer = await stage.patch({"city": 1, "displayName": "", "role": "admin", "jobTitle": "fine"})

    assert {(error["field"], error["code"]) for error in answer.body["errors"]} == {
        ("city", "wrong_type"),
        ("displayName", "required"),
        ("role", "unknown_field"),
    }


@pytest.mark.parametrize("body", [[], "text", 7, None, True, [{"city": "Turin"}]])
async def test_S44_the_body_is_an_object(stage: Stage, body: object) -> None:
    answer = await stage.patch(body)

    assert (answer.status, answer.slug) == (422, "invalid-profile-patch")
    assert answer.body["errors"][0]["code"] == "wrong_type"


@pytest.mark.parametrize(
    "given_text, saved",
    [
        ("  Ada  ", "Ada"),
        ("Zu\u0308rich", "Zu\u0308rich"),
        ("x" * 64, "x" * 64),
        ("😀" * 32, "😀" * 32),
        ("李", "李"),
        ("\u0645\u06cc\u200c\u062e\u0648", "\u0645\u06cc\u200c\u062e\u0648"),
        ("O'Brien-Smith, Jr. <b>", "O'Brien-Smith, Jr. <b>"),
    ],
)
async def test_S44_texts_are_kept_as_people_write_them(stage: Stage, given_text: str, saved: str) -> None:
    answer = await stage.patch({"givenName": given_text})

    assert answer.status == 200
    assert answer.body["givenName"] == saved
    assert (await stage.held())["givenName"] == saved


async def test_S44_only_what_was_asked_is_sent_to_graph(stage: Stage) -> None:
    await stage.patch({"city": "Turin", "state": "  "})

    (entry,) = await stage.asked("graph.patch_me")
    assert "city" in json.dumps(entry)
    assert _body_of(entry) == {"city": "Turin", "state": None}


def _body_of(entry: dict[str, object]) -> object:
    body = entry.get("body")
    return json.loads(body) if isinstance(body, str) else body


async def test_an_empty_change_writes_nothing_and_answers_with_the_profile(stage: Stage) -> None:
    answer = await stage.patch({})

    assert answer.status == 200
    assert answer.body["displayName"] == "Ada Lovelace"
    assert await stage.asked("graph.patch_me") == []


# --- S50 ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b'{"city"}',
        b"{'city':'x'}",
        b'{"city":"x",}',
        b'{"city":"x"}{',
        b'{"city":"x","city":"y"}',
        b'{"city":NaN}',
        b'{"city":Infinity}',
        b'{"city":-Infinity}',
        b'{"city":1e999}',
        b'{"city":' + b"9" * 5000 + b"}",
        b'{"city":"\\ud800"}',
        b'{"\\udfff":"x"}',
        b'{"city":"\xff"}',
        b"\xef\xbb\xbf{}",
        '{"city":"x"}'.encode("utf-16"),
        b"[" * 9 + b"]" * 9,
        b"[" * 16_000,
        b'{"a":' * 3000,
        b'"' + b'\\"' * 8000,
    ],
    ids=lambda body: repr(body[:20]),
)
async def test_S50_what_is_not_strict_json_is_400(stage: Stage, body: bytes) -> None:
    answer = await stage.patch(body)

    assert (answer.status, answer.slug) == (400, "bad-request")
    assert await stage.asked("token.on_behalf_of") == []


@pytest.mark.parametrize("chunked", [False, True])
async def test_S50_more_than_sixteen_kilobytes_is_413(stage: Stage, chunked: bool) -> None:  # noqa: FBT001 - a parameter
    fits = b'{"city":"x"}' + b" " * (16 * 1024 - 12)

    async def pieces() -> object:
        for at in range(0, len(fits) + 1, 1000):
            yield (fits + b" ")[at : at + 1000]

    headers = {"Authorization": f"Bearer {await stage.token()}", "Content-Type": "application/json"}
    data = pieces() if chunked else fits + b" "
    answer = await stage.send("PATCH", "/profile", data=data, headers=headers)

    assert (answer.status, answer.slug) == (413, "content-too-large")
    assert (await stage.patch(fits)).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "application/json-patch+json"},
        {"Content-Type": "application/json; charset=latin-1"},
        {"Content-Type": "multipart/form-data; boundary=x"},
        {"Content-Type": ""},
        {"Content-Encoding": "gzip"},
        {"Content-Encoding": "deflate"},
        {"Content-Encoding": "br"},
    ],
)
async def test_S50_other_types_and_encodings_are_415(stage: Stage, headers: dict[str, str]) -> None:
    answer = await stage.patch(b'{"city":"Turin"}', headers=headers)

    assert (answer.status, answer.slug) == (415, "unsupported-media-type")


async def test_S50_a_bomb_is_not_unfolded(stage: Stage) -> None:
    bomb = zlib.compress(b" " * 50_000_000, 9)[:16_000]

    assert (await stage.patch(bomb, headers={"Content-Encoding": "deflate"})).status == 415


@pytest.mark.parametrize(
    "kind", ["application/json", "application/merge-patch+json", "Application/JSON; charset=UTF-8"]
)
async def test_the_two_types_of_the_contract_are_read(stage: Stage, kind: str) -> None:
    assert (await stage.patch({"city": "Turin"}, headers={"Content-Type": kind})).status == 200


async def test_S44_S50_no_json_is_ever_a_fault_of_ours_and_graph_sees_ten_names_at_most(stage: Stage) -> None:
    values = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=70),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
        max_leaves=8,
    )
    names = st.sampled_from([*sorted(TEN), "id", "mail", "__proto__"]) | st.text(max_size=12)
    bodies: list[bytes] = []

    @settings(max_examples=80)
    @given(st.dictionaries(names, values, max_size=3) | values | st.binary(max_size=40))
    def collect(body: object) -> None:
        bodies.append(body if isinstance(body, bytes) else json.dumps(body).encode())

    collect()
    for body in bodies:
        answer = await stage.patch(body)
        assert answer.status in {200, 400, 422}, (body, answer.text)
    sent = [_body_of(entry) for entry in await stage.asked("graph.patch_me")]
    assert all(isinstance(body, dict) and body.keys() <= TEN for body in sent)

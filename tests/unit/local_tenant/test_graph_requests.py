"""What Graph's clients send, SDKs and people alike, and what becomes of it (rows T2 and T3)."""

import gzip
import io
import json
from typing import Any

import pytest

from tests.stage.tenant import API, API_SECRET, GRAPH, World

USER = "#microsoft.graph.user"


async def bearer(world: World) -> dict[str, str]:
    return {"Authorization": f"Bearer {await world.graph_token()}"}


async def city(world: World) -> object:
    return (await world.ask("GET", "/admin/people/ada@example.com/profile")).body["city"]


@pytest.mark.parametrize(
    "annotation",
    [
        {"@odata.type": USER},
        {"@odata.id": "users('1')", "@odata.etag": 'W/"1"', "@odata.context": "x"},
        {"city@odata.type": "#String"},
        {"businessPhones@odata.type": "#Collection(String)"},
        {"@microsoft.graph.conflictBehavior": "replace", "@com.example.own": 7},
    ],
)
async def test_T2_annotations_say_something_about_the_data_and_are_no_data(
    world: World, annotation: dict[str, Any]
) -> None:
    answer = await world.me(await world.graph_token(), "PATCH", json={**annotation, "city": "Paris"})
    assert (answer.status, answer.body) == (204, "")
    profile = (await world.ask("GET", "/admin/people/ada@example.com/profile")).body
    assert profile["city"] == "Paris"
    assert not [name for name in profile if "@" in name]


async def test_T2_annotations_alone_are_an_empty_change(world: World) -> None:
    refused = await world.me(await world.graph_token(), "PATCH", json={"@odata.type": USER})
    assert (refused.status, refused.body["error"]["code"]) == (400, "BadRequest")


@pytest.mark.parametrize(
    "headers",
    [
        {"Prefer": "return=representation"},
        {"Prefer": "return=minimal, respond-async"},
        {"Content-Type": "application/json;odata.metadata=minimal;charset=utf-8"},
        {"Content-Type": "Application/JSON; charset=UTF-8; IEEE754Compatible=false"},
        {"If-Match": "*"},
        {"If-Match": 'W/"JzEtVXNlci4n"'},
        {"ConsistencyLevel": "eventual"},
        {"Accept": "application/json;odata.metadata=full, text/plain"},
        {"Accept": "*/*", "Accept-Encoding": "gzip, br", "SdkVersion": "graph-python/1.65.0"},
        {"x-ms-throttle-priority": "low", "client-request-id": "8e5a2a4c-0000-4000-8000-000000000000"},
    ],
)
async def test_T2_headers_of_sdks_change_nothing_about_a_write(world: World, headers: dict[str, str]) -> None:
    sent = {"Content-Type": "application/json", **headers}
    answer = await world.me(await world.graph_token(), "PATCH", data=b'{"city": "Paris"}', headers=sent)
    assert (answer.status, answer.body, await city(world)) == (204, "", "Paris")


@pytest.mark.parametrize("pack", [gzip.compress, lambda body: body])
async def test_T2_a_body_may_be_compressed(world: World, pack: Any) -> None:
    body = pack(json.dumps({"@odata.type": USER, "city": "Zürich"}).encode())
    headers = {"Content-Type": "application/json"}
    headers |= {"Content-Encoding": "gzip"} if pack is gzip.compress else {}
    assert (await world.me(await world.graph_token(), "PATCH", data=body, headers=headers)).status == 204
    assert await city(world) == "Zürich"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
async def test_T2_json_in_another_encoding_of_unicode_is_read(world: World, encoding: str) -> None:
    headers = {"Content-Type": "application/json"}
    body = '{"city": "Łódź"}'.encode(encoding)
    assert (await world.me(await world.graph_token(), "PATCH", data=body, headers=headers)).status == 204
    assert await city(world) == "Łódź"


async def test_T2_an_address_of_several_lines_is_kept_as_it_is(world: World) -> None:
    token = await world.graph_token()
    address = "Flat 3\nRiver House\r\n12 Canal Row"
    assert (await world.me(token, "PATCH", json={"streetAddress": address})).status == 204
    read = await world.me(token, params={"$select": "streetAddress"})
    assert read.body["streetAddress"] == address


@pytest.mark.parametrize("option", ["$select", "select"])
@pytest.mark.parametrize(
    "names", ["id,displayName", "id, displayName", "ID,DisplayName", " displayname ,id", "id,displayName,ID"]
)
async def test_T2_select_takes_spaces_and_any_case_and_answers_in_graphs_spelling(
    world: World, option: str, names: str
) -> None:
    answer = await world.me(await world.graph_token(), params={option: names})
    assert set(answer.body) == {"id", "displayName", "@odata.context"}


@pytest.mark.parametrize("names", ["id,shoeSize", "id;displayName", "id,", "extension_0b9c_shoeSize"])
async def test_T2_select_of_what_is_no_property_is_refused(world: World, names: str) -> None:
    refused = await world.me(await world.graph_token(), params={"$select": names})
    assert (refused.status, refused.body["error"]["code"]) == (400, "BadRequest")
    custom = "The local tenant does not do this: custom attributes" in refused.body["error"]["message"]
    assert custom == names.startswith("extension_")


async def test_T2_select_is_there_once(world: World) -> None:
    refused = await world.ask("GET", "/v1.0/me?$select=id&select=city", headers=await bearer(world))
    assert (refused.status, refused.body["error"]["code"]) == (400, "BadRequest")


async def test_T3_a_body_that_is_too_large_is_refused_in_graphs_form(world: World) -> None:
    body = io.BytesIO(json.dumps({"city": "x" * 2_000_000}).encode())
    headers = {"Content-Type": "application/json"}
    refused = await world.me(await world.graph_token(), "PATCH", data=body, headers=headers)
    assert (refused.status, refused.body["error"]["code"]) == (413, "RequestEntityTooLarge")


async def test_T8_the_date_of_creation_and_other_usual_properties_are_there(world: World) -> None:
    token = await world.graph_token()
    answer = await world.me(token, params={"$select": "createdDateTime,userType,department,creationType"})
    assert answer.body["createdDateTime"] == "2024-01-01T00:00:00Z"
    assert (answer.body["userType"], answer.body["department"]) == ("Member", None)
    for name in ("createdDateTime", "department", "userType"):
        assert (await world.me(token, "PATCH", json={name: "2020-01-01T00:00:00Z"})).status == 403


async def test_T2_expand_is_said_not_to_be_done(world: World) -> None:
    refused = await world.me(await world.graph_token(), params={"$expand": "manager"})
    assert refused.status == 501
    assert "The local tenant does not do this: $expand" in refused.body["error"]["message"]


@pytest.mark.parametrize(
    "accept, level",
    [
        ("application/json", "minimal"),
        ("", "minimal"),
        ("text/html, */*;q=0.8", "minimal"),
        ("application/json; odata.metadata=none", "none"),
        ("application/json;odata.metadata=full;odata.streaming=true", "full"),
    ],
)
async def test_T2_the_answer_says_how_much_it_says_about_itself(
    world: World, accept: str, level: str
) -> None:
    answer = await world.me(await world.graph_token(), headers={"Accept": accept})
    assert answer.headers["Content-Type"].startswith(f"application/json;odata.metadata={level};")
    assert ("@odata.context" in answer.body) == (level != "none")


async def test_T2_head_answers_like_get_without_a_body(world: World) -> None:
    head = await world.ask("HEAD", "/v1.0/me", headers=await bearer(world))
    assert (head.status, head.body) == (200, "")
    assert head.headers["OData-Version"] == "4.0"


@pytest.mark.parametrize("path", ["/v1.0/me", "/v1.0//me", "/beta/me", "/v1.0/nothing", "/oidc/userinfo"])
async def test_T2_a_browser_may_ask_whether_a_page_may_ask(world: World, path: str) -> None:
    headers = {
        "Origin": "https://spa.example",
        "Access-Control-Request-Method": "PATCH",
        "Access-Control-Request-Headers": "authorization,content-type,sdkversion",
    }
    answer = await world.ask("OPTIONS", path, headers=headers)
    assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (200, "*")
    assert "authorization" in answer.headers["Access-Control-Allow-Headers"]
    assert "PATCH" in answer.headers["Access-Control-Allow-Methods"]
    refused = await world.ask("GET", path, headers={"Origin": "https://spa.example"})
    assert (refused.status, refused.headers["Access-Control-Allow-Origin"]) == (401, "*")


@pytest.mark.parametrize("path", ["/v1.0//me", "//v1.0/me", "/v1.0/me/", "//v1.0///me//", "/V1.0/Me"])
async def test_T3_slashes_and_case_that_graph_tolerates_are_tolerated(world: World, path: str) -> None:
    headers = await bearer(world)
    read = await world.ask("GET", path, headers=headers)
    assert read.body["displayName"] == "Ada Lovelace"
    assert (await world.ask("PATCH", path, headers=headers, json={"city": "Paris"})).status == 204
    journal = (await world.ask("GET", "/admin/requests?point=graph.patch_me")).body
    assert (journal[-1]["path"], journal[-1]["status"]) == (path, 204)


@pytest.mark.parametrize(
    "method, path, status, words",
    [
        ("GET", "/v1.0/nothing", 400, "Resource not found for the segment 'nothing'."),
        ("GET", "/v1.0/nothing('7')/at/all?x=1", 400, "Resource not found for the segment 'nothing'."),
        ("GET", "/v1.0/users", 501, "The local tenant does not do this: GET /v1.0/users."),
        (
            "GET",
            "/v1.0/me/photo/$value",
            501,
            "The local tenant does not do this: GET /v1.0/me/photo/$value.",
        ),
        ("POST", "/v1.0/$batch", 501, "The local tenant does not do this: POST /v1.0/$batch."),
        ("GET", "/v1.0/$metadata", 501, "The local tenant does not do this"),
        ("GET", "/v1.0", 501, "The local tenant does not do this"),
        ("GET", "/beta/me", 501, "The local tenant does not do this: GET /beta/me."),
        ("PATCH", "/beta//me", 501, "The local tenant does not do this: PATCH /beta/me."),
        ("PUT", "/v1.0/me", 405, "Specified HTTP method is not allowed for the request target."),
        ("POST", "/v1.0//me", 405, "Specified HTTP method is not allowed for the request target."),
        ("DELETE", "/v1.0/me", 405, "Specified HTTP method is not allowed for the request target."),
        ("PROPFIND", "/v1.0/me", 405, "Specified HTTP method is not allowed for the request target."),
    ],
)
async def test_T3_whatever_graph_is_asked_is_answered_in_graphs_form_and_journalled(
    world: World, method: str, path: str, status: int, words: str
) -> None:
    headers = {**await bearer(world), "client-request-id": "ours"}
    refused = await world.ask(method, path, headers=headers)
    error = refused.body["error"]
    assert (refused.status, set(error), set(error["innerError"])) == (
        status,
        {"code", "message", "innerError"},
        {"date", "request-id", "client-request-id"},
    )
    assert words in error["message"]
    assert refused.headers["client-request-id"] == "ours"
    assert ("Allow" in refused.headers) == (status == 405)
    (entry,) = (await world.ask("GET", "/admin/requests?point=graph.other")).body
    assert (entry["method"], entry["path"], entry["status"]) == (method, path.partition("?")[0], status)


async def test_T3_a_token_comes_before_everything_else(world: World) -> None:
    for path in ("/v1.0/nothing", "/v1.0/$batch", "/beta/me"):
        refused = await world.ask("POST", path)
        assert (refused.status, refused.body["error"]["code"]) == (401, "InvalidAuthenticationToken")
        assert f'client_id="{GRAPH}"' in refused.headers["WWW-Authenticate"]


@pytest.mark.parametrize(
    "header",
    [None, "", "Bearer", "Bearer ", "Basic YTpi", "Token x", "Bearer a b", 'Bearer "x"', "Bearer null"],
)
async def test_T3_a_missing_or_odd_bearer_is_a_401_of_graphs(world: World, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    refused = await world.ask("GET", "/v1.0/me", headers=headers)
    assert (refused.status, refused.body["error"]["code"]) == (401, "InvalidAuthenticationToken")
    assert refused.headers["WWW-Authenticate"].startswith("Bearer ")


@pytest.mark.parametrize("form", ["bearer {}", "BEARER {}", "Bearer  {}", " Bearer {} "])
async def test_T3_the_scheme_is_read_in_any_case_and_with_spaces(world: World, form: str) -> None:
    headers = {"Authorization": form.format(await world.graph_token())}
    assert (await world.ask("GET", "/v1.0/me", headers=headers)).status == 200


async def test_T3_an_application_hears_in_graphs_form_too_that_something_is_not_done(world: World) -> None:
    form = {"grant_type": "client_credentials", "client_id": API, "client_secret": API_SECRET}
    token = (await world.token({**form, "scope": f"{GRAPH}/.default"})).body["access_token"]
    refused = await world.ask("GET", "/v1.0/users", headers={"Authorization": f"Bearer {token}"})
    assert (refused.status, refused.body["error"]["code"]) == (501, "notSupported")


async def test_T3_a_fault_set_for_the_rest_of_graph_strikes_in_graphs_form(world: World) -> None:
    headers = await bearer(world)
    await world.ask("PUT", "/admin/faults/graph.other", json={"status": 429, "retry_after": 7})
    refused = await world.ask("GET", "/v1.0/users", headers=headers)
    assert (refused.status, refused.body["error"]["code"]) == (429, "TooManyRequests")
    assert refused.headers["Retry-After"] == "7"


async def test_T3_userinfo_answers_a_post_and_is_journalled(world: World) -> None:
    token = (await world.signed_in()).body["access_token"]
    answer = await world.ask("POST", "/oidc/userinfo", headers={"Authorization": f"Bearer {token}"})
    assert answer.body["name"] == "Ada Lovelace"
    (entry,) = (await world.ask("GET", "/admin/requests?point=graph.userinfo")).body
    assert (entry["method"], entry["status"]) == ("POST", 200)


async def test_T3_a_body_that_may_hold_a_secret_is_not_kept(world: World) -> None:
    body = {"passwordProfile": {"password": "do-not-keep-this"}}
    await world.ask("POST", "/v1.0/users", headers=await bearer(world), json=body)
    (entry,) = (await world.ask("GET", "/admin/requests?point=graph.other")).body
    assert entry["body"].startswith("[cut sha256:")

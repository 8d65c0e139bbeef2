"""The usual mistakes: each is told by name, and nothing that could be meant is taken for one."""

import pytest

from servicekit.setting_mistakes import mistake_in

GUID = "0b9c7e64-2f1d-4a83-8e55-c1a4d0f6b7e2"
QUOTES = "is in quotes"
PLACEHOLDER = "is a placeholder"
UNFILLED = "holds the name of a variable"
UNSEEN = "a character that cannot be seen"


@pytest.mark.parametrize(
    "text, says",
    [
        (f'"{GUID}"', QUOTES),
        (f"'{GUID}'", QUOTES),
        (f"\u201c{GUID}\u201d", QUOTES),
        (f"`{GUID}`", QUOTES),
        (f'"{GUID}', "begins or ends with a quote"),
        (f"{GUID}'", "begins or ends with a quote"),
        (f"'a' {GUID}\"", "begins or ends with a quote"),
        (f"{{{GUID}}}", "is a GUID in braces"),
        (f"({GUID.upper()})", "is a GUID in braces"),
        ("Enter_the_Tenant_Subdomain_Here", PLACEHOLDER),
        ("https://Enter_the_Tenant_Subdomain_Here.ciamlogin.com/", PLACEHOLDER),
        ("api://Enter_the_Web_Api_Application_Id_Here/EditProfileService.ReadWrite", PLACEHOLDER),
        ("<your-client-id>", PLACEHOLDER),
        ("https://<tenant-name>.ciamlogin.com", PLACEHOLDER),
        ("YOUR_CLIENT_ID", PLACEHOLDER),
        ("your-tenant-id", PLACEHOLDER),
        ("{tenant-id}", PLACEHOLDER),
        ("{{ client_id }}", PLACEHOLDER),
        ("xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx", PLACEHOLDER),
        ("00001111-aaaa-2222-bbbb-3333cccc4444", PLACEHOLDER),
        ("aaaabbbb-0000-cccc-1111-dddd2222eeee", PLACEHOLDER),
        ("changeme", PLACEHOLDER),
        ("REPLACE_ME", PLACEHOLDER),
        ("TODO", PLACEHOLDER),
        ("…", PLACEHOLDER),
        ("${CLIENT_ID}", UNFILLED),
        ("$CLIENT_ID", UNFILLED),
        ("%CLIENT_ID%", UNFILLED),
        ("https://${HOST}:3000", UNFILLED),
        ("$(cat /run/secrets/id)", UNFILLED),
        ("tcp://10.96.0.17:3000", "enableServiceLinks: false"),
        ("3000 # the port", "holds a comment"),
        ("one\r\ntwo", "an end of line"),
        ("\ufeffhttps://a.example", UNSEEN),
        ("https://a.example\u200b", UNSEEN),
    ],
)
def test_a_mistake_is_told_by_name(text: str, says: str) -> None:
    assert says in str(mistake_in(text, secret=False))


@pytest.mark.parametrize(
    "text",
    [
        GUID,
        GUID.upper(),
        "contoso",
        "https://login.example.com/tenant/v2.0",
        "User.Read",
        f"api://{GUID}/EditProfileService.ReadWrite",
        "http://127.0.0.1:8400",
        "a.example=https://x,b.example=https://y",
        "/run/secrets/gateway.pem",
        "yourcompany",
        "todos",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
        "10.0.0.0/8,192.168.0.0/16",
        "xn--bcher-kva",
        "script-src 'sha256-abc='",
        "3000",
        "0",
    ],
)
def test_what_can_be_meant_is_no_mistake(text: str) -> None:
    assert mistake_in(text, secret=False) is None


@pytest.mark.parametrize(
    "text",
    [
        "Enter_the_Client_Secret_Here",
        "<your-client-secret>",
        "YOUR_SECRET",
        "your-client-secret-value",
        "${CLIENT_SECRET}",
        "changeme",
        "'8Q~quoted-value'",
        '"8Q~quoted-value"',
    ],
)
def test_a_secret_that_cannot_be_one_is_told(text: str) -> None:
    assert mistake_in(text, secret=True)


@pytest.mark.parametrize(
    "text",
    [
        "aB3~Q.x_y-z1234567890",
        "p$ss{w}ord#1<2>3",
        "$dollars",
        'ends-with-a"',
        "a b # c",
        "yourself-and-others",
        "x" * 40,
        "redis://:p%40ss@redis:6379/0",
    ],
)
def test_a_secret_may_hold_what_its_authority_likes(text: str) -> None:
    assert mistake_in(text, secret=True) is None

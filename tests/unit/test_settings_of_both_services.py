"""One door for the settings of both services: every setting, every usual mistake, all faults at once (U28)."""

import json
from pathlib import Path
from typing import Final

import pytest

import gateway.settings
import resource_api.settings
from servicekit.authority_settings import AuthoritySettings
from servicekit.setting_sentences import is_secret
from servicekit.settings_faults import SettingsFault, load_settings
from tests.stage.tenant import API, EDIT, GATEWAY, TENANT_ID
from tests.stage.world import SEALING_KEY

GATEWAYS: Final = gateway.settings.Settings
APIS: Final = resource_api.settings.Settings
COMPLETE: Final[dict[type[AuthoritySettings], dict[str, str]]] = {
    GATEWAYS: {
        "TENANT_SUBDOMAIN": "stepuplocal",
        "TENANT_ID": TENANT_ID,
        "CLIENT_ID": GATEWAY,
        "CLIENT_SECRET": "a-secret-that-nobody-may-see",
        "EDIT_PROFILE_SCOPE": EDIT,
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "SEALING_KEYS": SEALING_KEY,
    },
    APIS: {
        "TENANT_SUBDOMAIN": "stepuplocal",
        "TENANT_ID": TENANT_ID,
        "CLIENT_ID": API,
        "CLIENT_SECRET": "a-secret-that-nobody-may-see",
        "ALLOWED_CLIENTS": GATEWAY,
    },
}
WITHOUT_TENANT: Final = {"TENANT_SUBDOMAIN": "", "TENANT_ID": ""}
FAR: Final = "is plain http to another machine: tokens would travel without encryption"
BOTH: Final = pytest.mark.parametrize("service", COMPLETE, ids=lambda kind: kind.prefix.lower())
ALL_SETTINGS: Final = [(service, name) for service in COMPLETE for name in service.model_fields]

SESAME: Final = "sesame-that-nobody-may-see"
WRONG: Final = {
    "double quotes": '"{}"',
    "single quotes": "'{}'",
    "one quote": '"{}',
    "a byte order mark": "\ufeff{}",
    "braces": "{{{}}}",
    "a comment": "{} # what it is for",
    "a line end within": "{}\r\n{}",
    "a placeholder of Microsoft's": "Enter_the_Tenant_Subdomain_Here",
    "a placeholder in angles": "<your-client-id>",
    "a placeholder in capitals": "YOUR_SECRET",
    "a variable": "${{SOME_VARIABLE}}",
    "an id": "11111111-2222-4333-8444-555555555555",
    "the whole domain": "https://contoso.ciamlogin.com",
    "the other domain": "contoso.onmicrosoft.com",
    "the metadata's address": "https://login.example.com/t/v2.0/.well-known/openid-configuration",
    "semicolons": "one;two",
    "spaces": "one two",
    "JSON": '["one", "two"]',
    "a word for 1": "yes",
    "a port with text": "3000/tcp",
    "a negative number": "-1",
    "another alphabet": "\u043f\u0440\u0438\u0432\u0435\u0442",
    "very much": "x" * 10_000,
    "a long name": "x" * 300,
    "digits without end": "9" * 400,
    "half a character": "https://\udcff.example",
    "an open bracket": "https://[::1",
    "a star": "http://*.example",
    "an equals sign": "a=b=c",
    "a NUL": "a\0b",
    "a directory": "/",
    "user info": f"https://user:{SESAME}@host.example",
}


def faults(service: type[AuthoritySettings], **changed: str) -> list[str]:
    """Return what is said of complete settings with some changed; an empty text takes one away."""
    environment = {service.prefix + name: text for name, text in (COMPLETE[service] | changed).items()}
    try:
        load_settings(service, environment, service.prefix)
    except SettingsFault as fault:
        return fault.lines
    return []


@pytest.mark.parametrize(
    "service, name", ALL_SETTINGS, ids=lambda one: one if isinstance(one, str) else one.prefix.lower()
)
def test_whatever_is_written_into_a_setting_ends_in_sentences(
    service: type[AuthoritySettings], name: str
) -> None:
    right = COMPLETE[service].get(name.upper(), "right")
    for kind, wrong in WRONG.items():
        for line in faults(service, **{name.upper(): wrong.format(right, right)}):
            assert line.startswith(service.prefix), (kind, line)
            assert line.endswith((".", "?")), (kind, line)
            assert len(line) < 600, (kind, line)
            assert SESAME not in line, (kind, line)
            assert "nobody-may-see" not in line, (kind, line)
            if is_secret(service.model_fields[name]):
                assert f"{name.upper()} is '" not in line, (kind, "its text is shown")


@BOTH
@pytest.mark.parametrize("kind", ["double quotes", "single quotes", "a byte order mark"])
@pytest.mark.parametrize("name", ["TENANT_SUBDOMAIN", "TENANT_ID", "CLIENT_ID", "CLIENT_SECRET"])
def test_what_an_editor_or_a_reader_of_files_left_is_told_for_every_setting(
    service: type[AuthoritySettings], name: str, kind: str
) -> None:
    (line,) = faults(service, **{name: WRONG[kind].format(COMPLETE[service][name])})

    assert line.startswith(f"{service.prefix}{name} is ")
    assert ("quotes" if "quotes" in kind else "cannot be seen") in line


@BOTH
@pytest.mark.parametrize(
    "name, text, says",
    [
        ("GRAPH_URL", "http://graph-stub:9", FAR),
        ("AUTHORITY", "http://idp:8080", FAR),
        ("AUTHORITY", "http://192.168.1.7", FAR),
        ("GRAPH_URL", "http://0x08080808", FAR),
        ("GRAPH_URL", f"https://u:{SESAME}@host", "holds a user name or a password"),
        ("AUTHORITY", f"https://u:{SESAME}@host", "holds a user name or a password"),
        ("AUTHORITY_MAP", f"http://u:{SESAME}@tenant:8400", "holds a user name or a password"),
        ("AUTHORITY_MAP", "https://a.example=http://127.0.0.1:1", "is not of the form host=url"),
        ("GRAPH_URL", "https://graph.microsoft.com", "lacks Graph's version"),
        ("GRAPH_URL", "https://graph.microsoft.com./v1.0", "has a dot behind its host"),
        ("GRAPH_URL", "https://graph\\.microsoft.com/v1.0", "holds a backslash"),
        ("AUTHORITY", "https://b\u00fccher.example", "which would be xn--bcher-kva.example"),
        ("AUTHORITY", "https://127.1/t", "which would be 127.0.0.1"),
        (
            "AUTHORITY",
            "https://login.example.com/t/v2.0/.well-known/openid-configuration",
            "leave out /.well-known",
        ),
        ("AUTHORITY", "https://login.microsoftonline.com/common/v2.0", "people of any tenant"),
        ("AUTHORITY", "https://login.microsoftonline.com/organizations/v2.0", "people of any tenant"),
        ("AUTHORITY", "https://contoso.ciamlogin.com/", "TENANT_SUBDOMAIN to contoso and"),
        ("HOST", "http://0.0.0.0", "is not an address alone"),
        ("HOST", "0.0.0.0:3000", "is not an address alone"),
        ("HOST", "*", "0.0.0.0 stands for every one"),
        ("PORT", "tcp://10.96.0.17:3000", "enableServiceLinks: false"),
        ("PORT", "3000/tcp", "is not a whole number"),
    ],
)
def test_F1_an_address_is_judged_by_one_rule_in_both_services(
    service: type[AuthoritySettings], name: str, text: str, says: str
) -> None:
    (line,) = faults(service, **(WITHOUT_TENANT if name == "AUTHORITY" else {}), **{name: text})

    assert line.startswith(f"{service.prefix}{name} is ")
    assert says in line
    assert SESAME not in line


@BOTH
@pytest.mark.parametrize(
    "name, text, taken",
    [
        ("GRAPH_URL", "HTTPS://Graph.Microsoft.COM:443/v1.0//", "https://graph.microsoft.com/v1.0"),
        ("GRAPH_URL", "http://127.1:9/v1.0", "http://127.0.0.1:9/v1.0"),
        ("GRAPH_URL", "http://[0:0::1]:9", "http://[::1]:9"),
        ("AUTHORITY", "https://login.example.com:443/T/", "https://login.example.com:443/T/"),
        ("AUTHORITY", "https://ADFS.example.com/adfs", "https://ADFS.example.com/adfs"),
        ("HOST", "[::]", "::"),
        ("HOST", "resource-api", "resource-api"),
        ("TENANT_ID", f"{TENANT_ID.upper()}\r", TENANT_ID),
    ],
)
def test_X3_an_address_is_taken_in_its_normal_form_and_an_issuer_to_the_letter(
    service: type[AuthoritySettings], name: str, text: str, taken: str
) -> None:
    changed = {name: text} | (WITHOUT_TENANT if name == "AUTHORITY" else {})
    environment = {service.prefix + key: value for key, value in (COMPLETE[service] | changed).items()}

    assert getattr(load_settings(service, environment, service.prefix), name.lower()) == taken


@BOTH
@pytest.mark.parametrize(
    "authority",
    ["https://login.example.com:443/t", "https://LOGIN.example.com/t", "https://login.example.com/t"],
)
def test_X3_a_map_finds_the_authority_s_host_however_it_is_written(
    service: type[AuthoritySettings], authority: str
) -> None:
    given = {"AUTHORITY": authority, "AUTHORITY_MAP": "login.example.com=http://127.0.0.1:8400"}
    texts = COMPLETE[service] | WITHOUT_TENANT | given
    settings = load_settings(
        service, {service.prefix + key: value for key, value in texts.items()}, service.prefix
    )

    address, headers = settings.addresses.apply(settings.discovery_url)
    assert address.startswith("http://127.0.0.1:8400/t/")
    assert headers["Host"].lower().startswith("login.example.com")


@BOTH
@pytest.mark.parametrize(
    "changed, says",
    [
        ({"TENANT_SUBDOMAIN": "https://contoso.ciamlogin.com"}, "alone, which would be contoso."),
        ({"TENANT_SUBDOMAIN": "contoso.onmicrosoft.com"}, "alone, which would be contoso."),
        ({"TENANT_SUBDOMAIN": TENANT_ID}, "is the tenant's id, and not its name"),
        ({"TENANT_ID": "00000000-0000-0000-0000-000000000000"}, "is the GUID of nothing"),
        ({"TENANT_ID": f"{{{TENANT_ID}}}"}, "is a GUID in braces"),
        ({"CLIENT_ID": TENANT_ID}, "CLIENT_ID is the same as"),
        ({"CLIENT_SECRET": "11111111-2222-4333-8444-555555555555"}, "looks like the id of a secret"),
        ({"CLIENT_SECRET": "YOUR_SECRET"}, "is set, but is a placeholder"),
        ({"CLIENT_SECRET": "Enter_the_Client_Secret_Here"}, "is set, but is a placeholder"),
    ],
)
def test_the_usual_mistakes_with_a_tenant_are_explained(
    service: type[AuthoritySettings], changed: dict[str, str], says: str
) -> None:
    (line,) = faults(service, **changed)

    assert says in line


@BOTH
def test_a_fault_in_a_setting_hides_none_between_settings(
    service: type[AuthoritySettings], tmp_path: Path
) -> None:
    lines = faults(
        service,
        AUTHORITY='"https://login.example.com"',
        CLIENT_SECRET="",
        CLIENT_SECRET_FILE=str(tmp_path / "missing"),
        CLIENT_CERTIFICATE="/nowhere.pem",
        TENANT_ID=f"'{TENANT_ID}'",
        CLIENT_ID=f"'{TENANT_ID}'",
        CLEINT_ID=GATEWAY,
        GRAPH_URL="http://graph-stub:9",
        PORT="3000 # the port",
        LOG_LEVEL="CHATTY",
    )

    begins = sorted(line.removeprefix(service.prefix).split(" is ")[0].split(" names ")[0] for line in lines)
    assert begins == sorted(
        [
            "AUTHORITY",
            f"AUTHORITY and {service.prefix}TENANT_SUBDOMAIN are both set. Keep one of them.",
            "CLEINT_ID",
            "CLIENT_CERTIFICATE",
            "CLIENT_ID",
            "CLIENT_ID",
            f"CLIENT_SECRET and {service.prefix}CLIENT_CERTIFICATE are both set. Keep one of them.",
            "CLIENT_SECRET_FILE",
            "GRAPH_URL",
            "LOG_LEVEL",
            "PORT",
            "TENANT_ID",
        ]
    )


@pytest.mark.parametrize(
    "text, says",
    [
        ("a;b", "not separated by commas alone"),
        ("a b", "not separated by commas alone"),
        (json.dumps([GATEWAY]), "not separated by commas alone"),
        (f"{GATEWAY},nobody,nothing", "names 'nobody', 'nothing', which is not a GUID"),
    ],
)
def test_every_entry_of_a_list_that_is_wrong_is_named(text: str, says: str) -> None:
    (line,) = faults(APIS, ALLOWED_CLIENTS=text)

    assert says in line

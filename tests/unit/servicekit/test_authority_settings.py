"""What both services are told: one rule and one sentence for each of these settings, in either of them (U28)."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

import gateway.settings
import resource_api.settings
from servicekit.authority_settings import AuthoritySettings
from servicekit.settings_faults import SettingsFault, load_settings
from tests.stage.tenant import API, EDIT, GATEWAY, TENANT_ID
from tests.stage.world import SEALING_KEY

SHARED: Final = {
    "TENANT_SUBDOMAIN": "stepuplocal",
    "TENANT_ID": TENANT_ID,
    "CLIENT_ID": API,
    "CLIENT_SECRET": "a-secret-that-nobody-may-see",
}
OWN: Final[dict[type[AuthoritySettings], dict[str, str]]] = {
    gateway.settings.Settings: {
        "EDIT_PROFILE_SCOPE": EDIT,
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "SEALING_KEYS": SEALING_KEY,
    },
    resource_api.settings.Settings: {"ALLOWED_CLIENTS": GATEWAY},
}
GRAPH: Final = "https://graph.microsoft.com/v1.0"
FAR: Final = "is plain http to another machine: tokens would travel without encryption"

Load = Callable[..., AuthoritySettings]


@pytest.fixture(params=OWN, ids=lambda kind: kind.prefix.lower())
def service(request: pytest.FixtureRequest) -> type[AuthoritySettings]:
    """Each service's settings."""
    kind: type[AuthoritySettings] = request.param
    return kind


@pytest.fixture
def load(service: type[AuthoritySettings]) -> Load:
    """Load complete settings with some changed; an empty text takes one away."""

    def loaded(**changed: str) -> AuthoritySettings:
        texts = SHARED | OWN[service] | changed
        return load_settings(
            service, {service.prefix + name: text for name, text in texts.items()}, service.prefix
        )

    return loaded


@pytest.fixture
def faults(load: Load, service: type[AuthoritySettings]) -> Callable[..., list[str]]:
    """Return the sentences for complete settings with some changed, the prefix written as a dash."""

    def faults_of(**changed: str) -> list[str]:
        with pytest.raises(SettingsFault) as caught:
            load(**changed)
        return [line.replace(service.prefix, "-") for line in caught.value.lines]

    return faults_of


def test_a_tenant_is_where_its_metadata_is(load: Load) -> None:
    settings = load()

    assert settings.discovery_url == (
        "https://stepuplocal.ciamlogin.com/stepuplocal.onmicrosoft.com/v2.0/.well-known/openid-configuration"
    )
    assert settings.msal_authority == "https://stepuplocal.ciamlogin.com/"
    assert settings.hosts == ("stepuplocal.ciamlogin.com", "graph.microsoft.com")
    assert settings.graph_url == GRAPH
    assert settings.credential() == "a-secret-that-nobody-may-see"


@pytest.mark.parametrize("authority", ["https://login.example.com/t/v2.0", "https://login.example.com/"])
def test_another_authority_is_taken_to_the_letter(load: Load, authority: str) -> None:
    settings = load(AUTHORITY=authority, TENANT_SUBDOMAIN="", TENANT_ID="")

    assert settings.authority == authority
    assert settings.discovery_url == f"{authority.rstrip('/')}/.well-known/openid-configuration"
    assert settings.msal_authority is None
    assert settings.hosts == ("login.example.com", "graph.microsoft.com")


def test_names_and_ids_are_read_in_either_case(load: Load) -> None:
    settings = load(TENANT_SUBDOMAIN="StepUpLocal", TENANT_ID=TENANT_ID.upper(), CLIENT_ID=API.upper())

    assert settings.tenant_subdomain == "stepuplocal"
    assert settings.tenant_id == TENANT_ID
    assert settings.client_id == API


@pytest.mark.parametrize(
    "url, taken",
    [
        ("https://graph.example.com/v1.0", "https://graph.example.com/v1.0"),
        ("https://graph.example.com/v1.0/", "https://graph.example.com/v1.0"),
        ("https://graph-stub", "https://graph-stub"),
        ("http://localhost:9/v1.0", "http://localhost:9/v1.0"),
        ("http://127.0.0.1:9", "http://127.0.0.1:9"),
        ("http://[::1]:9", "http://[::1]:9"),
    ],
)
def test_graph_is_reached_by_https_or_on_this_machine(load: Load, url: str, taken: str) -> None:
    assert load(GRAPH_URL=url).graph_url == taken


@pytest.mark.parametrize("name", ["GRAPH_URL", "AUTHORITY"])
@pytest.mark.parametrize(
    "url, says",
    [
        ("http://graph-stub:9", FAR),  # a name without a dot may be any machine of the network
        ("http://graph.example.com/v1.0", FAR),
        ("http://192.0.2.7", FAR),
        ("http://[2001:db8::1]", FAR),
        ("graph", "is not an http or https address"),
        ("ftp://graph", "is not an http or https address"),
        ("https://", "is not an http or https address"),
        ("https://[graph/v1.0", "is not an http or https address"),
        ("https://graph.example.com:99999/v1.0", "is not an http or https address"),
        ("https://graph.example.com:0/v1.0", "is not an http or https address"),
        ("https://graph.example.com/v1.0?x=1", "is not an http or https address"),
        ("https://graph.example.com/v1.0#x", "is not an http or https address"),
        ("https://name@graph.example.com/v1.0", "holds a user name or a password"),
    ],
)
def test_an_address_by_which_tokens_would_go_astray_is_refused(
    faults: Callable[..., list[str]], name: str, url: str, says: str
) -> None:
    without_tenant = {"TENANT_SUBDOMAIN": "", "TENANT_ID": ""} if name == "AUTHORITY" else {}

    (line,) = faults(**{name: url}, **without_tenant)

    assert line.startswith(f"-{name} is ")
    assert says in line
    assert ", such as https://" in line


@pytest.mark.parametrize(
    "where", ["http://127.0.0.1:8400", "http://[::1]:8400", "http://tenant:8400", "https://far.example.net"]
)
def test_a_map_leads_to_a_machine_near_by_or_by_https(load: Load, where: str) -> None:
    assert set(load(AUTHORITY_MAP=where).addresses.origins.items()) == {
        ("stepuplocal.ciamlogin.com", where),
        ("graph.microsoft.com", where),
    }


@pytest.mark.parametrize(
    "text, says",
    [
        ("nonsense", "'nonsense' is not an origin"),
        ("http://[tenant", "has an entry that cannot be used"),
        ("a.example=http://x,b.example", "'b.example' is not of the form host=url"),
        ("http://192.0.2.7:8400", FAR),
        ("http://134744072:8400", FAR),  # 8.8.8.8, for whoever resolves names
        ("http://0x08080808:8400", FAR),
        ("http://[2001:db8::1]:8400", FAR),
        ("a.example=https://x,b.example=http://b.example.net", FAR),
        ("http://name:word-nobody-may-see@tenant:8400", "holds a user name or a password"),
    ],
)
def test_a_map_that_leads_far_away_without_encryption_or_nowhere_is_refused(
    faults: Callable[..., list[str]], text: str, says: str
) -> None:
    (line,) = faults(AUTHORITY_MAP=text)

    assert line.startswith("-AUTHORITY_MAP is ")
    assert says in line
    assert "local work" in line
    assert "word-nobody-may-see" not in line


@pytest.mark.parametrize(
    "changed, says",
    [
        ({"TENANT_ID": "contoso"}, "-TENANT_ID is 'contoso', which is not a GUID. It should be"),
        ({"TENANT_ID": ""}, "-TENANT_ID is missing. It should be the tenant's id, a GUID, such as 3f6c2a58"),
        ({"TENANT_SUBDOMAIN": ""}, "-TENANT_SUBDOMAIN is missing. It should be the tenant's name before"),
        ({"TENANT_SUBDOMAIN": ""}, "for another authority set -AUTHORITY instead."),
        ({"TENANT_SUBDOMAIN": "a.b"}, "-TENANT_SUBDOMAIN is 'a.b', which is not the name of a tenant"),
        ({"TENANT_SUBDOMAIN": "https://x.ciamlogin.com"}, "which is not the name of a tenant"),
        ({"TENANT_SUBDOMAIN": "a" * 64}, "which is not the name of a tenant"),
        (
            {"AUTHORITY": "https://x.example"},
            "-AUTHORITY and -TENANT_SUBDOMAIN are both set. Keep one of them.",
        ),
        ({"CLIENT_ID": ""}, "-CLIENT_ID is missing. It should be the "),
        ({"CLIENT_SECRET": ""}, "-CLIENT_SECRET is missing. It should be the value of a client secret"),
        ({"CLIENT_SECRET": ""}, "-CLIENT_CERTIFICATE can stand instead."),
        ({"CLIENT_SECRET": "short"}, "-CLIENT_SECRET is set, but holds too little."),
        (
            {"CLIENT_SECRET": "11111111-2222-4333-8444-ABCDEFABCDEF"},
            "-CLIENT_SECRET looks like the id of a secret. It should be the secret's value",
        ),
        (
            {"CLIENT_SECRET": "", "CLIENT_CERTIFICATE": "/nowhere.pem"},
            "-CLIENT_CERTIFICATE is set, but names a file that can't be read: No such file or directory.",
        ),
        (
            {"CLIENT_SECRET": "", "CLIENT_CERTIFICATE": "-----BEGIN NONSENSE-----"},
            "-CLIENT_CERTIFICATE is set, but holds no unencrypted private key in PEM form.",
        ),
        ({"CA_BUNDLE": "/nowhere.pem"}, "-CA_BUNDLE is '/nowhere.pem', which is not a file that can be read"),
        ({"CA_BUNDLE": __file__}, "which holds no certificates in PEM form"),
        ({"LOG_LEVEL": "CHATTY"}, "-LOG_LEVEL is 'CHATTY', which is not one of the words for it."),
        ({"LOG_LEVEL": "CHATTY"}, "It should be DEBUG, INFO, WARNING or ERROR"),
        ({"PORT": "eighty"}, "-PORT is 'eighty', which is not a whole number"),
        ({"PORT": "70000"}, "-PORT is '70000', which is above 65535"),
        ({"CLEINT_ID": "x"}, "-CLEINT_ID is no setting. Did you mean -CLIENT_ID?"),
    ],
)
def test_a_fault_names_the_variable_what_is_wrong_and_what_would_be_right(
    faults: Callable[..., list[str]], changed: dict[str, str], says: str
) -> None:
    (line,) = faults(**changed)

    assert says in line
    assert line.endswith((".", "?"))
    assert "nobody-may-see" not in line


def test_one_credential_is_enough(faults: Callable[..., list[str]]) -> None:
    lines = faults(CLIENT_CERTIFICATE="/nowhere.pem")

    assert "-CLIENT_SECRET and -CLIENT_CERTIFICATE are both set. Keep one of them." in lines


def test_a_secret_of_another_authority_may_look_like_an_id(load: Load) -> None:
    secret = "11111111-2222-4333-8444-555555555555"
    settings = load(
        AUTHORITY="https://login.example.com", TENANT_SUBDOMAIN="", TENANT_ID="", CLIENT_SECRET=secret
    )

    assert settings.credential() == secret


def test_a_credential_may_come_from_a_file(load: Load, tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("from-a-file-with-a-line-end\n")

    assert load(CLIENT_SECRET="", CLIENT_SECRET_FILE=str(path)).credential() == "from-a-file-with-a-line-end"


def test_a_file_that_is_not_there_is_one_fault(faults: Callable[..., list[str]], tmp_path: Path) -> None:
    missing = str(tmp_path / "missing")

    assert faults(CLIENT_SECRET="", CLIENT_SECRET_FILE=missing) == [
        f"-CLIENT_SECRET_FILE names {missing!r}, which can't be read: No such file or directory."
    ]

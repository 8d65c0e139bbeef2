"""A federated token: read anew for each use, and told in a phrase where there is none (F8)."""

from pathlib import Path

import pytest

from servicekit.authority_settings import AuthoritySettings
from servicekit.client_credential import credential_source
from servicekit.entra import _for_msal
from servicekit.federated_token import FederatedToken, read_token
from servicekit.settings_faults import load_settings
from tests.stage.workload_identity import project, token
from tests.unit.test_settings_of_both_services import BOTH, COMPLETE, faults


def test_F8_the_token_that_is_there_now_is_used(tmp_path: Path) -> None:
    first, second = token("gateway"), token("gateway", jti="2")
    credential = FederatedToken(project(tmp_path, f"{first}\n"))
    assert credential() == first

    project(tmp_path, second)

    assert credential() == second
    assertion = _for_msal(credential)
    assert isinstance(assertion, dict)
    assert assertion["client_assertion"]({}) == second


@pytest.mark.parametrize("content", ["", "half.a", None])
def test_F8_a_file_that_cannot_be_used_for_a_moment_leaves_the_last_good_token(
    tmp_path: Path, content: str | None
) -> None:
    good = token("gateway")
    path = project(tmp_path, good)
    credential = FederatedToken(path)

    path.unlink()
    if content is not None:
        path.write_text(content)

    assert credential() == good
    path.unlink(missing_ok=True)
    project(tmp_path, token("gateway", jti="again"))
    assert credential() != good


@pytest.mark.parametrize(
    "content, says",
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"a-client-secret", "no token in the form of a JWT"),
        (b"a.b", "no token in the form of a JWT"),
        (b"{}", "no token in the form of a JWT"),
        (b"\xff\xfe", "holds no text"),
    ],
)
def test_F8_what_is_no_token_is_told_in_a_phrase(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "token"
    path.write_bytes(content)

    with pytest.raises(ValueError, match=says):
        read_token(path)


def test_S35_its_print_shows_the_file_alone(tmp_path: Path) -> None:
    path = project(tmp_path, token("gateway"))

    assert repr(FederatedToken(path)) == f"FederatedToken({str(path)!r})"


@BOTH
def test_F8_a_federated_token_stands_in_place_of_a_secret(
    service: type[AuthoritySettings], tmp_path: Path
) -> None:
    written = token("gateway")
    texts = COMPLETE[service] | {
        "CLIENT_SECRET": "",
        "FEDERATED_TOKEN_FILE": str(project(tmp_path, written)),
    }
    settings = load_settings(
        service, {service.prefix + name: text for name, text in texts.items()}, service.prefix
    )

    credential = settings.credential()
    assert isinstance(credential, FederatedToken)
    assert credential() == written


@BOTH
@pytest.mark.parametrize(
    "changed, says",
    [
        (
            {"CLIENT_SECRET": "a-secret-that-is-there"},
            "-CLIENT_SECRET and -FEDERATED_TOKEN_FILE are both set.",
        ),
        (
            {"CLIENT_SECRET": "a-secret-that-is-there", "CLIENT_CERTIFICATE": "/nowhere"},
            "-CLIENT_SECRET and -CLIENT_CERTIFICATE and -FEDERATED_TOKEN_FILE are all set. Keep one of them.",
        ),
        ({"FEDERATED_TOKEN_FILE": "/nowhere"}, "names a file that can't be read: No such file or directory"),
        ({"FEDERATED_TOKEN_FILE": "/"}, "names a file that can't be read: Is a directory"),
        ({"FEDERATED_TOKEN_FILE": __file__}, "holds no token in the form of a JWT"),
        ({"FEDERATED_TOKEN": "x"}, "-FEDERATED_TOKEN is no setting. Did you mean -FEDERATED_TOKEN_FILE?"),
        ({"FEDERATED_TOKEN_FILE": ""}, "-FEDERATED_TOKEN_FILE or -CLIENT_CERTIFICATE can stand instead."),
    ],
)
def test_F8_a_fault_of_the_credential_is_explained(
    service: type[AuthoritySettings], tmp_path: Path, changed: dict[str, str], says: str
) -> None:
    given = {"CLIENT_SECRET": "", "FEDERATED_TOKEN_FILE": str(project(tmp_path, token("gateway")))}

    lines = [line.replace(service.prefix, "-") for line in faults(service, **(given | changed))]

    assert [line for line in lines if says in line], lines


def test_F8_the_source_gives_the_file_s_token(tmp_path: Path) -> None:
    source = credential_source(None, None, {}, federated_token_file=str(project(tmp_path, token("gateway"))))

    assert source() is source()

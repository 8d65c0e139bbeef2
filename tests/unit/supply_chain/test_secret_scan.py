"""The search for secrets finds each kind, in the files of now and in the history, and shows none of them."""

import base64
import random
import secrets
import string
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from supply_chain.secret_rules import GIVEN, rule_names
from supply_chain.secret_scan import ScanFault, files_of_history, files_of_now, finds, harmless, search
from tests.stage.sources import ROOT

RSA = rsa.generate_private_key(65537, 2048)
EDWARDS = ed25519.Ed25519PrivateKey.generate()
EC = ec.generate_private_key(ec.SECP256R1())
# Drawn by chance, and the same each time: one drawing in a thousand looks less random than a rule asks for.
RANDOM = "".join(random.Random(64).choices(string.ascii_letters + string.digits, k=86))  # noqa: S311 - no secret
CAPITALS = RANDOM.upper()


Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


def private(key: Key, encoding: Encoding, form: PrivateFormat) -> bytes:
    return key.private_bytes(encoding, form, NoEncryption())


# Put together here, so that this file holds none of them.
PLANTED = {
    "private-key-pem": private(RSA, Encoding.PEM, PrivateFormat.PKCS8).decode(),
    "private-key-der-rsa": base64.b64encode(private(RSA, Encoding.DER, PrivateFormat.PKCS8)).decode(),
    "private-key-der-ec": base64.b64encode(private(EC, Encoding.DER, PrivateFormat.PKCS8)).decode(),
    "private-key-der-ed25519": base64.b64encode(private(EDWARDS, Encoding.DER, PrivateFormat.PKCS8)).decode(),
    "jwt": f"Bearer eyJ{RANDOM[:20]}.eyJ{RANDOM[:40]}.{RANDOM}",
    "entra-client-secret": f"'{RANDOM[:3]}8Q~{RANDOM[:34]}'",
    "sealing-key": f"GATEWAY_SEALING_KEYS={RANDOM[:43]}=",
    "redis-password": f"redis://user:{RANDOM[:8]}A1{RANDOM[8:24]}@store:6379",
    "azure-storage-key": f"AccountName=a;AccountKey={(RANDOM * 2)[:86]}==",
    "aws-key": f"AKIA{CAPITALS[:16]}",
    "github-token": f"ghp_{RANDOM[:36]}",
    "github-fine-token": f"github_pat_{RANDOM[:70]}",
    "gitlab-token": f"glpat-{RANDOM[:20]}",
    "slack-token": f"xoxb-{RANDOM[:20]}",
    "google-key": f"AIza{RANDOM[:35]}",
    "stripe-key": f"sk_live_{RANDOM[:24]}",
    "npm-token": f"npm_{RANDOM[:36]}",
    "pypi-token": f"pypi-AgEI{RANDOM[:60]}",
    GIVEN: f'client_secret: str = "{RANDOM[:40]}"',
}


def git(root: Path, *command: str) -> None:
    person = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "commit.gpgsign=false")
    subprocess.run(("git", *person, *command), cwd=root, check=True, capture_output=True)


def test_A7_S58_the_working_copy_holds_no_secret() -> None:
    assert [str(one) for one in search(files_of_now(ROOT), harmless(ROOT))] == []


def test_A7_S58_a_secret_of_every_kind_is_planted() -> None:
    assert PLANTED.keys() == rule_names()


@pytest.mark.parametrize("rule", PLANTED)
def test_A7_S58_a_planted_secret_is_found_and_not_shown(rule: str) -> None:
    text = f"a line\nanother {PLANTED[rule]} and what follows\n"
    found = [one for one in finds("some/file.txt", text.encode()) if one.rule == rule]

    assert [(one.path, one.line) for one in found] == [("some/file.txt", 2)]
    assert all(RANDOM[:16] not in str(one) for one in found)


@pytest.mark.parametrize("rule", ["private-key-pem", "sealing-key", "entra-client-secret"])
def test_A7_S58_a_secret_is_found_in_what_is_no_text_and_between_escapes(rule: str) -> None:
    escaped = PLANTED[rule].replace("\n", "\\n").encode()

    assert rule in {one.rule for one in finds("image.bin", b"\x00\xff\xfe" + escaped + b"\x80\x00")}


@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN PRIVATE KEY----- is how such a file begins",
        "GATEWAY_SEALING_KEYS=",
        "GATEWAY_SEALING_KEYS_FILE=/run/secrets/sealing-keys",
        "redis://:{password}@redis:6379/0",
        "redis://localhost:6379/0",
        'password = "correct horse battery staple"',
        'secret: "a-secret-that-nobody-may-see"',
        f"--hash=sha256:{'0123456789abcdef' * 4}",
        "token_endpoint = https://login.example.com/oauth2/v2.0/token",
    ],
)
def test_A7_S58_what_only_speaks_of_secrets_is_not_found(text: str) -> None:
    assert list(finds("README.md", text.encode())) == []


def test_A7_S58_what_is_harmless_is_named_by_its_digest_and_another_one_beside_it_is_found() -> None:
    other = f"GATEWAY_SEALING_KEYS={secrets.token_urlsafe(32)}"
    both = f"{PLANTED['sealing-key']}\n{other}\n".encode()
    known, unknown = [one for one in finds("keys", both) if one.rule == "sealing-key"]

    left = [one for one in search([("keys", both)], [known.digest]) if one.rule == "sealing-key"]
    assert left == [unknown]


def test_A7_S58_a_secret_that_was_taken_out_again_is_found_in_the_history(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    file = tmp_path / "settings.env"
    for text in ("nothing\n", f"{PLANTED['sealing-key']}\n", "nothing again\n"):
        file.write_text(text, encoding="utf-8")
        git(tmp_path, "add", ".")
        git(tmp_path, "commit", "--quiet", "--message", "Change a setting")
    git(tmp_path, "commit", "--quiet", "--allow-empty", "--message", f"Use {PLANTED['github-token']}")
    git(tmp_path, "checkout", "--quiet", "-b", "aside")
    (tmp_path / "aside.txt").write_text(PLANTED["aws-key"], encoding="utf-8")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message", "Try something")
    git(tmp_path, "checkout", "--quiet", "main")

    assert search(files_of_now(tmp_path), []) == []
    found = {one.rule: one.path for one in search(files_of_history(tmp_path), [])}
    assert found.keys() >= {"sealing-key", "aws-key", "github-token"}
    assert found["sealing-key"].startswith("settings.env (")
    assert found["github-token"] == "the messages of all commits"


def test_A7_S58_a_file_that_is_not_tracked_yet_is_searched_and_an_ignored_one_is_not(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    (tmp_path / ".gitignore").write_text(".local/\n", encoding="utf-8")
    (tmp_path / ".local").mkdir()
    for name in (".local/secrets.json", "new.env"):
        (tmp_path / name).write_text(PLANTED["sealing-key"], encoding="utf-8")

    assert {one.path for one in search(files_of_now(tmp_path), [])} == {"new.env"}


def test_A7_S58_a_part_of_the_history_is_not_taken_for_all_of_it(tmp_path: Path) -> None:
    whole, part = tmp_path / "whole", tmp_path / "part"
    whole.mkdir()
    git(whole, "init", "--quiet")
    for number in range(2):
        git(whole, "commit", "--quiet", "--allow-empty", "--message", f"Number {number}")
    git(tmp_path, "clone", "--quiet", "--depth", "1", whole.as_uri(), str(part))

    with pytest.raises(ScanFault, match="shallow"):
        list(files_of_history(part))


@pytest.mark.parametrize(
    "entry", ['rule = "jwt"', 'rule = "jwt"\nreason = " "', 'rule = "no-rule"\nreason = "why not"']
)
def test_A7_S58_nothing_is_harmless_without_a_reason(tmp_path: Path, entry: str) -> None:
    (tmp_path / "supply_chain").mkdir()
    (tmp_path / "supply_chain" / "harmless.toml").write_text(
        f'[[harmless]]\ndigests = ["0123456789abcdef"]\n{entry}\n', encoding="utf-8"
    )

    with pytest.raises(ScanFault):
        harmless(tmp_path)

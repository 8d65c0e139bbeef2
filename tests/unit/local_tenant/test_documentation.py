"""The local tenant's pages say what the code does: names are compared, examples are run."""

import shlex
from urllib.parse import urlsplit

import pytest

from local_tenant.aadsts import CATALOGUE
from local_tenant.faults import POINTS, Fault
from local_tenant.forgery import VARIANTS
from local_tenant.knobs import Knobs
from local_tenant.settings import PUBLIC_API_SECRET, PUBLIC_GATEWAY_SECRET, Settings
from local_tenant.unusual_people import PASSWORD, UNUSUAL
from tests.stage.sources import ROOT
from tests.stage.tenant import API, GATEWAY, ISSUER, World
from tests.stage.visitor import PASSWORDS

HOW_TO, REFERENCE = (
    (ROOT / "docs" / kind / "local-tenant.md").read_text(encoding="utf-8") for kind in ("how-to", "reference")
)
CURLS = [line for line in HOW_TO.replace("\\\n", " ").splitlines() if line.startswith("$ curl")]
SECRET_FILES = {"gateway_secret_file", "api_secret_file"}  # written as `…_FILE` beside the secrets


@pytest.mark.parametrize(
    "name",
    [
        *(f"`LOCAL_TENANT_{name.upper()}`" for name in Settings.model_fields if name not in SECRET_FILES),
        *(f"`{name}`" for name in (*POINTS, *VARIANTS, *Knobs.model_fields, *Fault.model_fields)),
        *(f"`{word}`" for pair in PASSWORDS.items() for word in pair),
        *(f"`{word}`" for word in (GATEWAY, API, ISSUER, PUBLIC_GATEWAY_SECRET, PUBLIC_API_SECRET, PASSWORD)),
        *(person.email.partition("@")[0] for person in UNUSUAL),
    ],
)
def test_the_document_names(name: str) -> None:
    assert name in REFERENCE


@pytest.mark.parametrize("command", CURLS)
async def test_the_example_runs(world: World, command: str) -> None:
    words = shlex.split(command.removeprefix("$ curl"))
    method, body, headers, path = "GET", None, {}, ""
    while words:
        word = words.pop(0)
        if word == "-X":
            method = words.pop(0)
        elif word == "-d":
            body = words.pop(0)
        elif word == "-H":
            name, _, value = words.pop(0).partition(": ")
            headers[name] = value
        else:
            parts = urlsplit(word)
            path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    answer = await world.ask(method, path, data=body, headers=headers)
    assert answer.status < 300, answer.body


def test_refusals_that_the_document_names_are_in_the_catalogue() -> None:
    named = {
        int(word.strip("(),.;`").removeprefix("AADSTS"))
        for word in (HOW_TO + REFERENCE).split()
        if "AADSTS" in word[:8] and word.strip("(),.;`") != "AADSTS"
    }
    assert named <= set(CATALOGUE)

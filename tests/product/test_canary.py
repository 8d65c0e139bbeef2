"""Tokens stay on our side (S32), and secrets out of the log (S35): the whole story is told, recorded and searched."""

import base64
import logging
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from gateway.app_keys import METRICS
from tests.product.canaries import JWT, LOGGERS, OPEN_HEARTED, Ear, Evidence, tell
from tests.stage.other_front_end import ADA
from tests.stage.witnesses import everything_in, opened, recording
from tests.stage.world import World


@pytest.fixture
def ear() -> Iterator[Ear]:
    """Listen to everybody at DEBUG."""
    listening = Ear()
    levels = {name: logging.getLogger(name).level for name in LOGGERS}
    for name in LOGGERS:
        logging.getLogger(name).setLevel(logging.DEBUG)
        logging.getLogger(name).addHandler(listening)
    yield listening
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
        logging.getLogger(name).removeHandler(listening)


async def test_S32_S35_no_secret_is_in_any_answer_any_log_or_in_valkey_nor_the_person_in_the_log(
    world: World, ear: Ear
) -> None:
    async with recording(world) as ada:
        evidence = Evidence(world, ada)
        await tell(evidence)
        cookie, live = ada.cookie(), await opened(world, ada)
        await ada.call("POST", "/auth/sign-out")
        await ada.call("GET", "/api/profile", headers={"Cookie": f"__Host-Http-session={cookie}"})

    kinds = {name.partition(" #")[0] for name in evidence.secrets.named}
    assert kinds >= {
        "RefreshToken",
        "token for graph",
        "token for edit",
        "code",
        "verifier",
    }
    assert len(evidence.secrets.named) > 20

    answers, heard = evidence.everything_seen(), "\n".join(ear.lines)
    counted = world.app[METRICS].drawn().decode()
    held = b"\n".join(evidence.in_valkey).decode("latin-1")
    assert evidence.secrets.found_in(answers) == []
    assert evidence.secrets.found_in(heard) == []
    assert evidence.secrets.found_in(held) == []
    assert evidence.secrets.found_in(counted) == []
    for text in (answers, heard, held):
        assert not JWT.search(text)
    assert {"gateway", "msal", "aiohttp"} <= {line.partition("\n")[0].split(".")[0] for line in ear.lines}
    for piece in cookie.split("."):
        assert piece not in heard, "nor is a cookie logged"

    ours = "\n".join(line for line in ear.lines if line.startswith(("gateway", "servicekit", "resource_api")))
    for piece in (*ADA, "Ada", "Lovelace", "Paris", "Turin", "London", live.user.oid, live.user.sub):
        word = re.compile(rf"\b{re.escape(piece)}\b")  # the letters of a random id may say "Ada", too
        assert not word.search(ours), f"nor who it is, nor what they changed: {piece}"
        assert not word.search(counted), f"nor do the metrics say: {piece}"
    assert live.ref.short in ours, "sessions are told apart by the hash of their id"


async def test_S32_the_search_would_find_what_it_looks_for(world: World, ear: Ear) -> None:
    async with recording(world) as ada:
        evidence = Evidence(world, ada)
        await ada.sign_in()
        await evidence.collect()
    tokens = {name: secret for name, secret in evidence.secrets.named.items() if secret.count(".") == 2}
    assert tokens

    for name, secret in evidence.secrets.named.items():
        planted = [
            f'{{"token": "{secret}"}}',
            f"?x={quote(secret, safe='')}",
            f"<!-- {base64.b64encode(secret.encode()).decode()} -->",
            base64.urlsafe_b64encode(f'{{"a": "{secret}"}}'.encode()).decode(),
            secret.encode().hex(),
        ]
        for text in planted:
            assert name in evidence.secrets.found_in(text), name
    for name, token in tokens.items():
        assert name in evidence.secrets.found_in(f"claims={token.split('.')[1]}")
        assert name in evidence.secrets.found_in(f"signature={token.split('.')[2]}")
        assert JWT.search(f"'{token}'")
    assert evidence.secrets.found_in("nothing of it") == []

    (planted_token, *_) = tokens.values()
    logging.getLogger("gateway.planted").debug("x", extra={"event_fields": {"token": planted_token}})
    assert evidence.secrets.found_in("\n".join(ear.lines))
    await world.redis.set("planted", planted_token, ex=60)
    assert evidence.secrets.found_in((await everything_in(world.redis)).decode("latin-1"))


def test_S35_outer_libraries_stay_quiet_whatever_the_level(project_root: Path) -> None:
    script = (
        "import logging; from servicekit.logs import configure_logs; configure_logs(level='DEBUG');"
        f"print(*(logging.getLogger(name).getEffectiveLevel() for name in {(*LOGGERS, OPEN_HEARTED)!r}))"
    )
    output = subprocess.run(
        [sys.executable, "-c", script], cwd=project_root, capture_output=True, text=True, check=True
    ).stdout

    levels = dict(zip((*LOGGERS, OPEN_HEARTED), map(int, output.split()), strict=True))
    ours = {"gateway", "servicekit", "resource_api"}
    assert {levels[name] for name in ours} == {logging.DEBUG}
    assert {level for name, level in levels.items() if name not in ours} == {logging.WARNING}

"""R16: what is known of the authority outlives a restart, in files that nobody else can have written."""

import json
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from local_tenant.signing import SigningKey, generate_key
from resource_api.app import create_app
from resource_api.known_good import KEPT_SECONDS, AuthorityFiles
from servicekit.outbound_call import LARGEST_REPLY
from tests.unit.resource_api.stage import Stage, listening, running_api, settings_for

ISSUER = "https://login.example.com/t/v2.0"
URL = f"{ISSUER}/.well-known/openid-configuration"
CHANGE = {"city": "Turin"}


@pytest.fixture
def files(tmp_path: Path) -> AuthorityFiles:
    return AuthorityFiles(tmp_path, issuer=ISSUER, url=URL)


def listed(directory: Path) -> list[Path]:
    return list(directory.iterdir())


async def kept(files: AuthorityFiles, directory: Path) -> Path:
    """Save a document and return its file."""
    await files.save("signing keys", b"keys")
    (path,) = listed(directory)
    return path


async def test_R16_what_was_saved_is_there_and_for_nobody_else_to_see(
    files: AuthorityFiles, tmp_path: Path
) -> None:
    assert await files.load("signing keys") is None
    await files.save("signing keys", b"old keys")
    path = await kept(files, tmp_path)
    await files.save("authority metadata", b"metadata")

    assert path.stat().st_mode & 0o777 == 0o600
    assert await files.load("signing keys") == b"keys"
    assert await files.load("authority metadata") == b"metadata"
    assert len(listed(tmp_path)) == 2


@pytest.mark.parametrize("issuer, url", [(f"{ISSUER}/", URL), (ISSUER, f"{URL}?")], ids=["issuer", "address"])
async def test_R16_another_authoritys_keys_are_none_of_ours(
    files: AuthorityFiles, tmp_path: Path, issuer: str, url: str
) -> None:
    await kept(files, tmp_path)

    assert await AuthorityFiles(tmp_path, issuer=issuer, url=url).load("signing keys") is None


@pytest.mark.parametrize(
    "seconds, there", [(-60, True), (KEPT_SECONDS - 60, True), (KEPT_SECONDS + 60, False)]
)
async def test_R16_a_copy_is_good_for_a_week(
    files: AuthorityFiles, tmp_path: Path, seconds: int, *, there: bool
) -> None:
    path = await kept(files, tmp_path)
    when = time.time() - seconds
    os.utime(path, (when, when))

    assert (await files.load("signing keys") is not None) == there


def writable_by_a_group(path: Path) -> None:
    path.chmod(0o660)


def writable_by_all(path: Path) -> None:
    path.chmod(0o602)


def somebody_elses(path: Path) -> None:
    if os.geteuid():
        pytest.skip("only root can give a file away")
    os.chown(path, 65534, 65534)


def a_link(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")


def a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path, 0o600)


def a_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def far_ahead(path: Path) -> None:
    when = time.time() + 30 * 24 * 3600
    os.utime(path, (when, when))


def too_large(path: Path) -> None:
    path.write_bytes(b"x" * (LARGEST_REPLY + 1))


@pytest.mark.parametrize(
    "damage",
    [
        writable_by_a_group,
        writable_by_all,
        somebody_elses,
        a_link,
        a_pipe,
        a_directory,
        far_ahead,
        too_large,
    ],
)
async def test_R16_a_file_that_others_could_have_written_is_none_and_the_operator_is_told(
    files: AuthorityFiles, tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: Callable[[Path], None]
) -> None:
    damage(await kept(files, tmp_path))

    assert await files.load("signing keys") is None
    (record,) = [record for record in caplog.records if record.message == "state-not-read"]
    assert record.__dict__["event_fields"]["reason"]


async def test_R16_a_directory_that_is_gone_is_told_and_stops_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    files = AuthorityFiles(tmp_path / "nowhere", issuer=ISSUER, url=URL)

    await files.save("signing keys", b"keys")

    assert await files.load("signing keys") is None
    assert [record.message for record in caplog.records] == ["state-not-kept"]


async def test_R16_a_write_that_fails_leaves_the_old_copy_and_nothing_beside_it(
    files: AuthorityFiles, tmp_path: Path
) -> None:
    path = await kept(files, tmp_path)
    path.unlink()
    path.mkdir()  # nothing can be moved there

    await files.save("signing keys", b"new keys")

    assert listed(tmp_path) == [path]


# --- the service ------------------------------------------------------------------------------------------------


@asynccontextmanager
async def next_life(stage: Stage, directory: Path) -> AsyncIterator[Stage]:
    """Run another API in front of the same tenant, as after a restart."""
    app = create_app(
        settings_for(stage.world.url, state_directory=str(directory)), now=stage.clock, monotonic=stage.clock
    )
    async with listening(app) as url:
        yield replace(stage, url=url)


@pytest.fixture
async def known(signing_keys: Callable[[], SigningKey], tmp_path: Path) -> AsyncIterator[Stage]:
    """Run an API that was used once, in front of a tenant that has lost its metadata and keys since."""
    async with running_api(signing_keys, state_directory=str(tmp_path)) as stage:
        assert (await stage.patch({"city": "Genoa"})).status == 200
        for point in ("discovery", "keys"):
            await stage.fault(point, status=503)
        yield stage


async def test_R16_a_restart_while_metadata_and_keys_are_gone_is_no_outage_of_the_api(
    known: Stage, tmp_path: Path
) -> None:
    async with next_life(known, tmp_path) as stage:
        assert (await stage.patch(CHANGE)).status == 200
        assert (await stage.patch(CHANGE, f"{await stage.token()}x")).status == 401
    assert (await known.held())["city"] == "Turin"


async def test_R16_without_files_such_a_restart_is_told_as_the_authoritys_outage(
    known: Stage, tmp_path: Path
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()

    async with next_life(known, empty) as stage:
        assert (await stage.patch(CHANGE)).slug == "authority-unavailable"


async def test_R16_keys_that_somebody_slipped_in_sign_nothing(known: Stage, tmp_path: Path) -> None:
    strange = generate_key()
    (path,) = (path for path in listed(tmp_path) if path.name.startswith("signing-keys-"))
    path.write_text(json.dumps({"keys": [strange.as_jwk("https://issuer.example")]}))
    path.chmod(0o666)

    async with next_life(known, tmp_path) as stage:
        token = stage.keys.sign(stage.claims(), strange)
        assert (await stage.patch(CHANGE, token)).slug == "authority-unavailable"
        # They would have been believed: the file's rights are what stands against it.
        path.chmod(0o600)
        stage.clock.now += 1
        assert (await stage.patch(CHANGE, token)).slug != "authority-unavailable"

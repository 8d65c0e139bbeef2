"""The steps that docker-compose.production.yml begins with, done as a person would who is nobody special (F7)."""

import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Final

from servicekit.client_credential import credential_source
from tests.stage.sources import ROOT

TEXT: Final = (ROOT / "docker-compose.production.yml").read_text(encoding="utf-8")
STEPS: Final = re.findall(r"^#   (.+)$", TEXT, re.MULTILINE)
# Root may write what nobody may; without these two it is as everybody is.
AS_ANYBODY: Final = ("setpriv", "--bounding-set", "-dac_override,-dac_read_search")


def done(step: str, place: Path, *, typed: str = "") -> "subprocess.CompletedProcess[str]":
    """Do a step in a directory, by the Python that the tests have, with something typed."""
    step = step.replace("python3 ", f"{sys.executable} ")
    rights = AS_ANYBODY if os.geteuid() == 0 and shutil.which("setpriv") else ()
    return subprocess.run(
        [*rights, "sh", "-c", step],
        cwd=place,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        input=typed,
        capture_output=True,
        text=True,
        check=False,
    )


def test_F7_the_steps_in_the_compose_file_work_as_they_are_written(tmp_path: Path) -> None:
    make, gateways, apis, give, up, change = STEPS
    assert give.startswith("sudo chown -R 10001:10001 ")
    assert up.startswith("docker compose --file docker-compose.production.yml up")

    for step, typed in ((make, ""), (gateways, "the-gateway-s-secret\n"), (apis, "the-api-s-secret\n")):
        ended = done(step, tmp_path, typed=typed)
        assert (ended.returncode, ended.stderr) == (0, ""), step

    kept = tmp_path / "secrets"
    assert (kept / "gateway" / "client-secret").read_text() == "the-gateway-s-secret\n"
    assert (kept / "resource-api" / "client-secret").read_text() == "the-api-s-secret\n"
    assert (kept / "resource-api-state").is_dir()
    files = [path for path in kept.rglob("*") if path.is_file()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o400}
    named = set(re.findall(r"\./secrets/([\w-]+):", TEXT))
    assert {path.name for path in kept.iterdir()} == named, "what the compose file mounts is there"

    source = credential_source(None, None, {"client_secret": kept / "gateway" / "client-secret"})
    assert source() == "the-gateway-s-secret"
    # Who owns the files is the services' business; what the step does to a file that nobody may write is looked at.
    changed = done(
        change.removeprefix("sudo ").replace("-o 10001 -g 10001 ", ""), tmp_path, typed="the-next-secret\n"
    )
    assert changed.returncode == 0, changed.stderr
    assert source() == "the-next-secret", "without a restart"


def test_F7_writing_into_such_a_file_is_what_does_not_work(tmp_path: Path) -> None:
    done(STEPS[0], tmp_path)
    done(STEPS[1], tmp_path, typed="first\n")

    refused = done("echo second > secrets/gateway/client-secret", tmp_path)

    assert refused.returncode != 0
    assert "ermission denied" in refused.stderr


def test_F7_made_again_nothing_that_was_put_there_is_lost(tmp_path: Path) -> None:
    for step, typed in ((STEPS[0], ""), (STEPS[1], "mine\n"), (STEPS[0], "")):
        assert done(step, tmp_path, typed=typed).returncode == 0

    assert (tmp_path / "secrets" / "gateway" / "client-secret").read_text() == "mine\n"

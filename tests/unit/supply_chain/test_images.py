"""Production is made of images by their digests, which the engine's own tool renews."""

import os
import re
from pathlib import Path

import pytest

from supply_chain.images import ImageFault, images, renew
from tests.stage.sources import ROOT

FILES = ("Dockerfile", "docker-compose.production.yml")


def test_A7_S58_production_takes_every_image_of_others_by_its_digest() -> None:
    assert {(one.name, one.tag, one.file) for one in images(ROOT)} == {
        ("python", "3.13-slim", "Dockerfile"),
        ("redis", "8-alpine", "docker-compose.production.yml"),
    }


def test_A7_S58_no_stage_and_no_service_takes_an_image_past_them() -> None:
    dockerfile, production = ((ROOT / file).read_text(encoding="utf-8") for file in FILES)
    stages = re.findall(r"^FROM (\S+) AS (\S+)$", dockerfile, re.MULTILINE)
    named = {name for _, name in stages}

    assert {base for base, _ in stages} - named == {"${PYTHON_IMAGE}"}
    assert re.findall(r"^COPY --from=(\S+)", dockerfile, re.MULTILINE) == ["packages"]
    for image in re.findall(r"^    image: (\S+)$", production, re.MULTILINE):
        assert image.startswith("stepup/") or "@sha256:" in image, image


def test_local_work_takes_the_same_images_by_their_tags() -> None:
    """A first `docker compose up` takes what is there, also where no digest can be had."""
    local = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    tags = {f"{one.name}:{one.tag}" for one in images(ROOT)}

    assert set(re.findall(r"\$\{\w+_IMAGE:-(\S+)\}", local)) == tags
    assert local.count("args: *images") == local.count("build:") == 4


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for file in FILES:
        (tmp_path / file).write_bytes((ROOT / file).read_bytes())
    return tmp_path


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("cut", [r"@sha256:[0-9a-f]{64}", r"(?<=sha256:)[0-9a-f]", r"^.*_IMAGE.*$"])
def test_A7_S58_a_planted_image_without_its_digest_is_told(copy: Path, file: str, cut: str) -> None:
    text = (copy / file).read_text(encoding="utf-8")
    (copy / file).write_text(re.sub(cut, "", text, flags=re.MULTILINE), encoding="utf-8")

    with pytest.raises(ImageFault, match=file):
        images(copy)


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a `docker` on the path; what it does the test writes."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    program = folder / "docker"
    program.touch(mode=0o755)
    return program


def test_A7_S58_a_renewal_writes_the_digests_of_today_and_nothing_else(copy: Path, engine: Path) -> None:
    before = {file: (copy / file).read_text(encoding="utf-8") for file in FILES}
    engine.write_text(
        f'#!/bin/sh\n[ "$1 $2 $3" = "buildx imagetools inspect" ] && echo sha256:{"a1" * 32}\n',
        encoding="utf-8",
    )

    assert renew(copy) == [f"python:3.13-slim is now {'a1' * 32}", f"redis:8-alpine is now {'a1' * 32}"]
    assert [one.digest for one in images(copy)] == ["a1" * 32] * 2
    for file in FILES:
        after = (copy / file).read_text(encoding="utf-8")
        assert after == re.sub(r"(?<=sha256:)[0-9a-f]{64}", "a1" * 32, before[file])


@pytest.mark.parametrize("script", ["echo no network >&2; exit 1", "echo latest", "exit 0"])
def test_A7_S58_a_digest_that_cannot_be_asked_for_changes_nothing(
    copy: Path, engine: Path, script: str
) -> None:
    before = {file: (copy / file).read_text(encoding="utf-8") for file in FILES}
    engine.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")

    with pytest.raises(ImageFault, match=r"python:3\.13-slim cannot be asked for"):
        renew(copy)
    assert {file: (copy / file).read_text(encoding="utf-8") for file in FILES} == before

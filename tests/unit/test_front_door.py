"""The README shows what there is: pictures that a command takes, and a row that the gateway would take."""

import re
from pathlib import Path
from typing import Final

from gateway.upstream_rows.file import read_file
from gateway.upstream_rows.reading import upstream_rows
from tests.stage.pictures import FOLDER, LARGEST, NAMES
from tests.stage.sources import ROOT

README: Final = (ROOT / "README.md").read_text(encoding="utf-8")
GUIDE: Final = (ROOT / "docs/how-to/put-your-api-behind-it.md").read_text(encoding="utf-8")


def test_the_pictures_are_those_that_the_command_takes_small_and_described() -> None:
    shown = re.findall(r"!\[([^\]]+)\]\(docs/pictures/([^)]+)\)", README)

    assert tuple(name for _, name in shown) == NAMES
    assert all(len(words) > 20 for words, _ in shown), "who cannot see them reads what they show"
    assert sorted(path.name for path in FOLDER.iterdir()) == sorted(NAMES)
    for name in NAMES:
        assert (FOLDER / name).read_bytes()[8:12] == b"WEBP"
        assert (FOLDER / name).stat().st_size <= LARGEST


def test_what_the_readme_calls_is_what_the_client_has() -> None:
    (page,) = re.findall(r"```js\n(.*?)```", README, re.DOTALL)
    declared = (ROOT / "spa/client.d.ts").read_text(encoding="utf-8")
    called = re.findall(r"gateway\.(\w+)", page + " ".join(re.findall(r"`gateway\.\w+\(\)`", README)))

    assert "connect" in page
    assert {"request", "flowUrl", "resume"} <= set(called)
    assert [name for name in called if not re.search(rf"^  {name}[(:]", declared, re.MULTILINE)] == []
    assert "`python3 dev.py --example notes`" in README


def test_the_rows_that_are_shown_are_rows(tmp_path: Path) -> None:
    for page in (README, GUIDE):
        (row,) = re.findall(r"```toml\n(\[\[upstream\]\].*?)```", page, re.DOTALL)
        assert len(row.splitlines()) <= 10
        file = tmp_path / "upstreams.toml"
        file.write_text(row, encoding="utf-8")

        assert read_file(str(file)).faults == []
        assert isinstance(rows := upstream_rows(str(file)), tuple)
        assert [row.name for row in rows] == ["notes"]

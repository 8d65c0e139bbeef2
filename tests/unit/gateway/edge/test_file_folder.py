"""Which folders can be served at all; what each fault says."""

from pathlib import Path

import pytest

from gateway.edge import file_folder
from gateway.edge.held_file import LARGEST_HELD
from tests.unit.gateway.test_setting_faults import LOCAL, faults


def built(root: Path) -> Path:
    """Return a folder with a page."""
    root.mkdir(exist_ok=True)
    (root / "index.html").write_text("x", "utf-8")
    return root


def test_a_folder_that_cannot_be_served_is_told_at_start_with_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("x", "utf-8")
    (tmp_path / "folder" / "index.html").mkdir(parents=True)
    (tmp_path / "led-out").mkdir()
    (tmp_path / "led-out" / "index.html").symlink_to(tmp_path / "file")
    with (built(tmp_path / "heavy") / "index.html").open("wb") as page:
        page.truncate(LARGEST_HELD + 1)
    shadows = built(tmp_path / "shadows")
    (shadows / "api").mkdir()
    phrases = {
        "missing": "is not a folder that can be read",
        "file": "is not a folder that can be read",
        "empty": "holds no index.html that can be read",
        "folder": "holds no index.html that can be read",
        "led-out": "holds no index.html that can be read",
        "heavy": "holds an index.html of more than 8,388,608 bytes",
        "shadows": "holds 'api', which nobody would see",
    }

    for name, phrase in phrases.items():
        (line,) = faults(**LOCAL, FRONT_END=str(tmp_path / name))
        assert line.startswith("GATEWAY_FRONT_END is ")
        assert phrase in line, name
        assert "such as /srv/app/dist" in line


def test_ten_thousand_files_are_no_fault_and_more_than_anybody_builds_are(tmp_path: Path) -> None:
    root = built(tmp_path / "dist")
    for number in range(60):
        (root / f"{number}.js").touch()

    assert file_folder.MOST_FILES >= 10_000
    assert file_folder.front_end_folder(str(root), most=61) == str(root)
    with pytest.raises(ValueError, match="holds more than 60 files; it should be what a build puts out"):
        file_folder.front_end_folder(str(root), most=60)


def test_S53_additions_belong_to_a_front_end_and_are_judged_at_start(tmp_path: Path) -> None:
    root = str(built(tmp_path / "dist"))
    ends_with_a_quote = "script-src 'sha256-" + "A" * 43 + "='"

    assert faults(**LOCAL, FRONT_END=root, CSP_ADDITIONS=ends_with_a_quote) == []
    (alone,) = faults(**LOCAL, CSP_ADDITIONS="img-src data:")
    assert alone.startswith("GATEWAY_CSP_ADDITIONS is set, and GATEWAY_FRONT_END is not")
    (wrong,) = faults(**LOCAL, FRONT_END=root, CSP_ADDITIONS="script-src 'unsafe-inline'")
    assert "which adds 'unsafe-inline' to script-src, which would let any script run" in wrong

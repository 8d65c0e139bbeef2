"""The secrets of local work and of the containers: made once, for one user's eyes."""

import base64
import json
from pathlib import Path

import pytest

from devstack.container_secrets import make
from devstack.local_secrets import load_or_make


def test_they_are_made_once_and_kept_for_this_user_alone(tmp_path: Path) -> None:
    first = load_or_make(tmp_path)

    assert load_or_make(tmp_path) == first
    assert (tmp_path / "secrets.json").stat().st_mode & 0o777 == 0o600
    assert len(base64.urlsafe_b64decode(first.sealing_keys + "=")) == 32
    assert [path.name for path in tmp_path.iterdir()] == ["secrets.json"]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"sealing_keys": 1}'])
def test_a_spoilt_file_is_replaced(tmp_path: Path, content: str) -> None:
    (tmp_path / "secrets.json").write_text(content)
    fresh = load_or_make(tmp_path)

    assert load_or_make(tmp_path) == fresh


def test_a_repr_shows_none_of_them(tmp_path: Path) -> None:
    fresh = load_or_make(tmp_path)
    values = json.loads((tmp_path / "secrets.json").read_text()).values()

    assert not [value for value in values if value in repr(fresh)]


def test_the_containers_secrets_agree_with_each_other_and_are_left_alone_later(tmp_path: Path) -> None:
    written = make(tmp_path)
    password = (tmp_path / "redis" / "password").read_text()

    assert f":{password}@" in (tmp_path / "gateway" / "redis-url").read_text()
    assert f"requirepass {password}\n" in (tmp_path / "redis" / "redis.conf").read_text()
    assert {path.stat().st_mode & 0o777 for path in written} == {0o400}
    assert make(tmp_path) == []


def test_a_lost_file_of_the_containers_is_made_again_to_fit_the_others(tmp_path: Path) -> None:
    make(tmp_path)
    before = (tmp_path / "gateway" / "redis-url").read_text()
    (tmp_path / "gateway" / "redis-url").unlink()
    make(tmp_path)

    assert (tmp_path / "gateway" / "redis-url").read_text() == before

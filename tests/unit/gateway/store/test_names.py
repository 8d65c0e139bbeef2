"""Keys that a cluster keeps together, under one prefix (R8), and commands that never look at all keys."""

import re

import pytest

from gateway.session.cookie import SessionCookie
from gateway.store import scripts
from gateway.store.names import PREFIX, SessionRef, digest_of, index_key, lock_key, record_key, tombstone_key
from gateway.store.scripts import REPEATABLE
from tests.stage.sources import ROOT

SLOTS = 16_384
SCRIPTS = {
    name: text
    for name, text in vars(scripts).items()
    if name.isupper() and name[0] != "_" and isinstance(text, str)
}


def slot_of(key: str) -> int:
    """Return a key's slot: CRC16 (XMODEM) of its hash tag, as the cluster specification says."""
    start = key.find("{")
    end = key.find("}", start + 1)
    tag = key[start + 1 : end] if start >= 0 and end > start + 1 else key
    crc = 0
    for byte in tag.encode():
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
    return crc % SLOTS


def test_the_slot_is_computed_as_the_specification_says() -> None:
    assert slot_of("123456789") == 0x31C3 % SLOTS
    assert slot_of("{user1000}.following") == slot_of("{user1000}.followers")


def test_R8_all_keys_of_a_session_lie_in_one_slot_also_across_a_change_of_id() -> None:
    for _ in range(200):
        first = SessionCookie.new()
        second = SessionCookie.new(first.family)
        keys = [
            key
            for ref in (first.ref, second.ref)
            for key in (ref.key, tombstone_key(ref), lock_key(ref, "refresh"), lock_key(ref, "parked:x"))
        ]
        assert len({slot_of(key) for key in keys}) == 1
        assert len(set(keys)) == len(keys)


def test_R24_a_reference_in_an_index_is_short_enough_to_be_kept_compactly() -> None:
    for _ in range(50):
        ref = SessionCookie.new().ref
        assert SessionRef.unpack(ref.packed) == ref
        assert len(ref.packed) <= 64, "zset-max-listpack-value"


def test_R8_sessions_spread_over_the_slots() -> None:
    slots = {slot_of(SessionCookie.new().ref.key) for _ in range(500)}

    assert len(slots) > 450


def test_S34_every_key_starts_with_the_prefix_of_the_access_control_list() -> None:
    ref = SessionRef("f", "0d")
    keys = [ref.key, tombstone_key(ref), lock_key(ref, "n"), index_key("sid", "o"), record_key("flow", "o")]

    assert all(key.startswith(f"{PREFIX}:") for key in keys)


@pytest.mark.parametrize("name", sorted(SCRIPTS.keys() - {"LIST"}))
def test_R8_a_script_names_no_key_that_it_is_not_given(name: str) -> None:
    called = re.findall(r"redis\.call\('(\w+)', ([^,)]+)", SCRIPTS[name])

    assert called
    assert all(re.fullmatch(r"KEYS\[\d\]", key) for _, key in called)


def test_R8_nothing_in_the_gateway_looks_at_all_keys() -> None:
    looking = re.compile(
        r"\.(keys\([^)]|scan\w*\(|[hsz]scan|flush(all|db)\(|smembers\(|hgetall\()|\b(SCAN|KEYS \*|FLUSH(ALL|DB))\b"
    )
    files = list((ROOT / "gateway").rglob("*.py"))

    assert ROOT / "gateway" / "store" / "vault.py" in files
    assert [file.name for file in files if looking.search(file.read_text(encoding="utf-8"))] == []


def test_every_script_may_run_twice_and_says_so() -> None:
    """Each shows by a test of its own that its second run changes nothing (test_vault.py, test_leases.py)."""
    assert set(SCRIPTS.values()) == REPEATABLE


def test_A8_a_digest_names_any_text_that_a_request_can_bring() -> None:
    texts = ["", "\0", "\udcff", "\udced\udca0", "é", "\ud800", "x" * 10_000]

    digests = {digest_of("kind", text) for text in texts}

    assert len(digests) == len(texts)
    assert all(len(digest) == 43 for digest in digests)

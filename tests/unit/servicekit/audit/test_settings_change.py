"""New settings of a running service, as facts (A6): by name, and keys apart from the rest."""

from servicekit.audit.settings_change import record_change
from tests.stage.trails import ReadTrail


def test_A6_keys_and_credentials_are_a_fact_of_their_own(trail: ReadTrail) -> None:
    record_change(trail.trail, frozenset({"log_level", "sealing_keys", "client_secret", "workers"}))

    assert [(line["fact"], line["event"], line["settings"]) for line in trail.new()] == [
        ("secrets-change", "crypt_keys_changed", ["client_secret", "sealing_keys"]),
        ("settings-change", "sys_config_changed", ["log_level", "workers"]),
    ]


def test_A6_settings_that_are_as_they_were_are_no_fact(trail: ReadTrail) -> None:
    record_change(trail.trail, frozenset())

    assert trail.new() == []

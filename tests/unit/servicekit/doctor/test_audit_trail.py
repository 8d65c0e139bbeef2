"""What the doctor says of the audit trail (A6): who can read its file, and whether anything signs it."""

import base64
import hashlib
from pathlib import Path

import pytest

from servicekit.doctor.audit_trail import look_at_audit_trail
from servicekit.doctor.findings import Status
from tests.stage.world import gateway_settings
from tests.unit.resource_api.stage import settings_for

KEY = base64.urlsafe_b64encode(hashlib.sha256(b"a trail").digest()).decode()


def test_A6_a_file_of_its_owner_alone_is_in_order_and_one_of_others_is_not(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    path.touch(0o600)
    settings = gateway_settings(AUDIT_FILE=str(path), REDIS_URL="redis://localhost")
    assert look_at_audit_trail(settings).status is Status.OK

    path.chmod(0o644)
    found = look_at_audit_trail(settings)

    assert (found.status, found.fix) == (Status.WARNING, f"Set its mode: chmod 600 {path}.")


@pytest.mark.parametrize("given, by", [({}, "sealing key"), ({"AUDIT_KEYS": KEY}, "a key of its own")])
def test_A6_the_gateways_trail_is_signed_in_any_case(given: dict[str, str], by: str) -> None:
    found = look_at_audit_trail(gateway_settings(REDIS_URL="redis://localhost", **given))

    assert found.status is Status.OK
    assert by in found.detail


def test_A6_the_resource_apis_needs_a_key_but_in_local_work() -> None:
    real = settings_for("")
    assert look_at_audit_trail(real).status is Status.WARNING
    assert look_at_audit_trail(settings_for("", audit_keys=KEY)).status is Status.OK
    assert look_at_audit_trail(settings_for("http://127.0.0.1:8400")).status is Status.OK

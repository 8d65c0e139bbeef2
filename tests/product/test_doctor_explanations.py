"""What the doctor says of settings that start and do not work: each by its own name, with the reason behind it."""

import pytest

from gateway.doctor.examination import examine
from tests.product.test_doctor import Configured, configured, faults

__all__ = ["configured"]


@pytest.mark.parametrize("scope", ["User.Bogus", "https://graph.microsoft.com/User.Bogus"])
async def test_F4_a_scope_for_reading_is_explained_by_its_own_setting(
    configured: Configured, scope: str
) -> None:
    findings = await examine(configured(GRAPH_SCOPE=scope))

    assert faults(findings).keys() == {"Graph scope"}
    assert "Compare GATEWAY_GRAPH_SCOPE with" in faults(findings)["Graph scope"]
    assert "GATEWAY_EDIT_PROFILE_SCOPE" not in str(findings)

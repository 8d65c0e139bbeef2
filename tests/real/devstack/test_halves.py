"""What is wrong between gateway and resource API: each pair of settings that cannot both be right (F3)."""

import pytest

from devstack.environment import API_CLIENT_ID, EDIT_PROFILE_SCOPE, GATEWAY_CLIENT_ID, TENANT_ID
from devstack.halves import faults_between

RIGHT = {
    "GATEWAY_TENANT_SUBDOMAIN": "contoso",
    "GATEWAY_TENANT_ID": TENANT_ID,
    "GATEWAY_CLIENT_ID": GATEWAY_CLIENT_ID,
    "GATEWAY_EDIT_PROFILE_SCOPE": EDIT_PROFILE_SCOPE,
    "RESOURCE_API_TENANT_SUBDOMAIN": "Contoso",
    "RESOURCE_API_TENANT_ID": TENANT_ID.upper(),
    "RESOURCE_API_CLIENT_ID": API_CLIENT_ID,
    "RESOURCE_API_ALLOWED_CLIENTS": f"11111111-2222-4333-8444-555555555555, {GATEWAY_CLIENT_ID.upper()}",
}
OTHER = "99999999-2222-4333-8444-555555555555"


@pytest.mark.parametrize("changed", [{}, {"RESOURCE_API_SCOPE": ""}, {"GATEWAY_EDIT_PROFILE_SCOPE": ""}])
def test_F3_what_fits_is_no_fault(changed: dict[str, str]) -> None:
    assert list(faults_between(RIGHT | changed)) == []


@pytest.mark.parametrize("half", ["GATEWAY", "RESOURCE_API"])
def test_L4_one_leeway_is_asked_of_both_halves(half: str) -> None:
    assert list(faults_between(RIGHT | {f"{half}_CLOCK_LEEWAY_SECONDS": "120"})) == []
    both = {"GATEWAY_CLOCK_LEEWAY_SECONDS": "30", "RESOURCE_API_CLOCK_LEEWAY_SECONDS": "30"}
    assert list(faults_between(RIGHT | both)) == []

    (one,) = faults_between(RIGHT | {f"{half}_CLOCK_LEEWAY_SECONDS": "300"})

    assert (one["check"], one["status"]) == ("clock leeway", "fault")
    assert f"{half}_CLOCK_LEEWAY_SECONDS is 300" in one["detail"]


@pytest.mark.parametrize(
    "changed, check, says",
    [
        ({"RESOURCE_API_ALLOWED_CLIENTS": OTHER}, "allowed clients", GATEWAY_CLIENT_ID),
        ({"GATEWAY_CLIENT_ID": OTHER}, "allowed clients", OTHER),
        ({"RESOURCE_API_TENANT_ID": OTHER}, "tenant", "RESOURCE_API_TENANT_ID"),
        ({"GATEWAY_TENANT_SUBDOMAIN": "fabrikam"}, "tenant", "fabrikam"),
        ({"RESOURCE_API_SCOPE": "Profile.Edit"}, "edit scope", "Profile.Edit"),
        ({"RESOURCE_API_CLIENT_ID": OTHER}, "edit scope", OTHER),
        ({"RESOURCE_API_CLIENT_ID": GATEWAY_CLIENT_ID}, "client ids", "the same client id"),
    ],
)
def test_F3_halves_that_do_not_fit_are_named(changed: dict[str, str], check: str, says: str) -> None:
    (one,) = faults_between(RIGHT | changed)

    assert (one["check"], one["status"]) == (check, "fault")
    assert says in one["detail"]
    assert one["fix"].endswith(".")

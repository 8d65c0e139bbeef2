"""What is wrong between the settings of gateway and resource API, where both are known.

Owns the comparison of texts, and its findings in the form of the doctors'. Never reads a secret.
"""

from collections.abc import Iterator, Mapping

Finding = dict[str, str]

_SCOPE = "EditProfileService.ReadWrite"
_LEEWAY = "120"


def faults_between(settings: Mapping[str, str]) -> Iterator[Finding]:
    """Yield a fault for every pair of settings that cannot both be right."""
    own = {name: value.strip() for name, value in settings.items() if value.strip()}
    for name in ("TENANT_SUBDOMAIN", "TENANT_ID", "AUTHORITY"):
        gateways, apis = own.get(f"GATEWAY_{name}", ""), own.get(f"RESOURCE_API_{name}", "")
        if gateways and apis and gateways.lower() != apis.lower():
            yield _fault(
                "tenant",
                f"GATEWAY_{name} is {gateways}, and RESOURCE_API_{name} is {apis}",
                "Let both name the same: the gateway's people get their tokens for the API there.",
            )
    client, allowed = own.get("GATEWAY_CLIENT_ID", ""), own.get("RESOURCE_API_ALLOWED_CLIENTS", "")
    listed = [one.strip() for one in allowed.split(",")]
    if client and allowed and client.lower() not in map(str.lower, listed):
        yield _fault(
            "allowed clients",
            f"GATEWAY_CLIENT_ID is {client}, which RESOURCE_API_ALLOWED_CLIENTS does not name",
            "Add it there: the API refuses every call of this gateway.",
        )
    ours, theirs = (own.get(f"{half}_CLOCK_LEEWAY_SECONDS", _LEEWAY) for half in ("GATEWAY", "RESOURCE_API"))
    if ours != theirs:
        yield _fault(
            "clock leeway",
            f"GATEWAY_CLOCK_LEEWAY_SECONDS is {ours}, and RESOURCE_API_CLOCK_LEEWAY_SECONDS is {theirs}",
            "Let both be the same: between the two people sign in and confirm, and cannot save.",
        )
    api, scope = own.get("RESOURCE_API_CLIENT_ID", ""), own.get("RESOURCE_API_SCOPE", _SCOPE)
    asked = own.get("GATEWAY_EDIT_PROFILE_SCOPE", "")
    if asked and asked.rpartition("/")[2].lower() != scope.lower():
        yield _fault(
            "edit scope",
            f"GATEWAY_EDIT_PROFILE_SCOPE is {asked}, and the API asks for {scope}",
            "Let it end in a slash and RESOURCE_API_SCOPE.",
        )
    if api and client and api.lower() == client.lower():
        yield _fault(
            "client ids",
            f"gateway and API have the same client id, {api}",
            "Register two applications: MFA protects an application as a whole, so that reading would want it too.",
        )
    elif asked.startswith("api://") and api and api.lower() not in asked.lower():
        yield _fault(
            "edit scope",
            f"GATEWAY_EDIT_PROFILE_SCOPE is {asked}, and RESOURCE_API_CLIENT_ID is {api}",
            "Compare both with App registrations > (the API's): Overview, and Expose an API.",
        )


def _fault(check: str, detail: str, fix: str) -> Finding:
    return {"check": check, "status": "fault", "detail": detail, "fix": fix}

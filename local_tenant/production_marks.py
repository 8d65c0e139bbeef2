"""What tells that people other than this computer's own are served here, so that a stand-in has no place beside it.

Owns the marks: a gateway that is published, and a service that is told of a real tenant.
Never starts anything and never shows a value that could be a secret. What an orchestrator sets about itself
(`KUBERNETES_SERVICE_HOST` and the like) is no mark: tests run in clusters, too.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from local_tenant.loopback import leads_here

# By this name the stand-in is known to those who are given its settings; docs/reference/local-tenant.md.
OWN_SUBDOMAIN: Final = "stepuplocal"
_SERVICES: Final = ("GATEWAY_", "RESOURCE_API_")
_WHY: Final = "and this is a stand-in with known passwords"


def production_marks(environ: Mapping[str, str]) -> Iterator[str]:
    """Yield a sentence for each variable that belongs to a service for others."""
    public_url = environ.get("GATEWAY_PUBLIC_URL", "").strip()
    if public_url and not leads_here(public_url):
        yield (
            f"GATEWAY_PUBLIC_URL: names a gateway for others than this computer's own person, {_WHY}; "
            "start it where that is not set"
        )
    for prefix in _SERVICES:
        subdomain, authority = (
            environ.get(prefix + name, "").strip() for name in ("TENANT_SUBDOMAIN", "AUTHORITY")
        )
        mapped = environ.get(f"{prefix}AUTHORITY_MAP", "").strip()
        if subdomain and subdomain.lower() != OWN_SUBDOMAIN and not mapped:
            yield f"{prefix}TENANT_SUBDOMAIN: names a real tenant, {_WHY}; start it where that is not set"
        if authority and not leads_here(authority) and not mapped:
            yield f"{prefix}AUTHORITY: names a real authority, {_WHY}; start it where that is not set"

"""The stand-in has no place beside a service for others, and every place in local work."""

import pytest

from local_tenant.production_marks import production_marks


@pytest.mark.parametrize(
    "variable, text",
    [
        ("GATEWAY_PUBLIC_URL", "https://profile.example.com"),
        ("GATEWAY_PUBLIC_URL", "http://10.0.0.7:3000"),
        ("GATEWAY_TENANT_SUBDOMAIN", "contoso"),
        ("RESOURCE_API_TENANT_SUBDOMAIN", "contoso"),
        ("GATEWAY_AUTHORITY", "https://login.example.com/tenant/v2.0"),
        ("RESOURCE_API_AUTHORITY", "https://login.example.com/tenant/v2.0"),
    ],
)
def test_A7_S57_each_mark_of_production_is_named(variable: str, text: str) -> None:
    (sentence,) = production_marks({"PATH": "/bin", variable: f" {text}\n"})

    assert sentence.startswith(f"{variable}: ")
    assert "a stand-in with known passwords" in sentence


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"GATEWAY_PUBLIC_URL": "", "GATEWAY_TENANT_SUBDOMAIN": " ", "GATEWAY_AUTHORITY": ""},
        {"GATEWAY_PUBLIC_URL": "http://localhost:3000", "GATEWAY_TENANT_SUBDOMAIN": "StepupLocal"},
        {"GATEWAY_PUBLIC_URL": "https://127.0.0.1:3000", "GATEWAY_AUTHORITY": "http://[::1]:8400/tenant"},
        {"GATEWAY_TENANT_SUBDOMAIN": "contoso", "GATEWAY_AUTHORITY_MAP": "http://127.0.0.1:8400"},
        {
            "RESOURCE_API_AUTHORITY": "https://id.example.com",
            "RESOURCE_API_AUTHORITY_MAP": "http://tenant:8400",
        },
        # Tests run in clusters, too.
        {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "GATEWAY_PORT_3000_TCP": "tcp://10.0.0.2:3000", "CI": "true"},
    ],
)
def test_A7_S57_local_work_has_none(environ: dict[str, str]) -> None:
    assert list(production_marks(environ)) == []

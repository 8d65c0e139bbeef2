"""Which settings each part gets in local work, made from the person's own and the local tenant's fixed ids.

Owns the choice between the local tenant and a real one, and the order of precedence: command line, environment,
`.env`, then what this module fills in. Pure: reads no variable and no file by itself, apart from `.env` in `dotenv`.
Each part sees only the settings that carry its own prefix, so that no part comes to lean on another's secret.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from devstack.local_secrets import LocalSecrets
from devstack.ports import Ports

PREFIXES = {"gateway": "GATEWAY_", "api": "RESOURCE_API_", "tenant": "LOCAL_TENANT_"}

TENANT_SUBDOMAIN = "stepuplocal"
TENANT_ID = "3f6c2a58-5d0b-4c7e-9a41-7b1d2e8c9f10"
GATEWAY_CLIENT_ID = "0b9c7e64-2f1d-4a83-8e55-c1a4d0f6b7e2"
API_CLIENT_ID = "a7d1f3c2-6b48-4e9f-b0c5-93e82d14f6a8"
EDIT_PROFILE_SCOPE = f"api://{API_CLIENT_ID}/EditProfileService.ReadWrite"

# What would contradict the local tenant's own: another way to prove oneself, another place to ask.
_NOT_LOCAL = (
    "GATEWAY_CLIENT_SECRET_FILE",
    "GATEWAY_CLIENT_CERTIFICATE",
    "GATEWAY_CLIENT_CERTIFICATE_FILE",
    "GATEWAY_FEDERATED_TOKEN_FILE",
    "GATEWAY_GRAPH_URL",
    "RESOURCE_API_AUTHORITY",
    "RESOURCE_API_CLIENT_SECRET_FILE",
    "RESOURCE_API_CLIENT_CERTIFICATE",
    "RESOURCE_API_CLIENT_CERTIFICATE_FILE",
    "RESOURCE_API_FEDERATED_TOKEN_FILE",
    "RESOURCE_API_GRAPH_URL",
    "RESOURCE_API_SCOPE",
)

Settings = dict[str, str]


@dataclass(frozen=True, slots=True)
class LocalEnvironment:
    """The settings of all parts, and which parts there are to start."""

    settings: Settings
    surroundings: Settings
    parts: tuple[str, ...]

    def for_part(self, part: str) -> Settings:
        """Make the environment of one part's process."""
        prefix = PREFIXES[part]
        own = {name: value for name, value in self.settings.items() if name.startswith(prefix)}
        return self.surroundings | own


def dotenv(path: Path) -> Settings:
    """Read the settings in a `.env` file, by the same parser as the services use; none where there is no file."""
    if not path.exists():
        return {}
    from dotenv import dotenv_values  # noqa: PLC0415 -- only there once the environment is installed

    return {
        name: value for name, value in dotenv_values(path, encoding="utf-8-sig").items() if value is not None
    }


def is_setting(name: str) -> bool:
    """Whether a variable is one of the product's settings."""
    return name.startswith(tuple(PREFIXES.values()))


def has_real_tenant(own: Mapping[str, str]) -> bool:
    """Whether the person has named an authority, so that no local tenant is wanted."""
    return bool(own.get("GATEWAY_TENANT_SUBDOMAIN") or own.get("GATEWAY_AUTHORITY"))


def for_others(own: Mapping[str, str]) -> str | None:
    """Return why these settings are of a service for others, which a launcher of local work must not start, or None."""
    url = own.get("GATEWAY_PUBLIC_URL", "").strip()
    if not url or _leads_here(url):
        return None
    return (
        "GATEWAY_PUBLIC_URL is not an address of this computer, and dev.py is for local work. Leave it out, also of "
        ".env; to serve others, use docker-compose.production.yml (docs/how-to/real-tenant.md)."
    )


def needs_redis(own: Mapping[str, str]) -> bool:
    """Whether the launcher has to bring a Redis."""
    return not _is_set(own, "GATEWAY_REDIS_URL")


def local_environment(
    own: Mapping[str, str],
    surroundings: Mapping[str, str],
    ports: Ports,
    secrets: LocalSecrets,
    *,
    root: Path | None,
    redis_url: str | None,
) -> LocalEnvironment:
    """Fill in what the person has left open.

    `own` are the product's settings from the environment and `.env`; `surroundings` is every other variable;
    `redis_url` is the embedded server's address, or None when the person brings one; `root` is the directory of the
    product's packages, or None where they are installed.
    """
    real = has_real_tenant(own)
    settings = dict(own)  # with the empty ones: an empty variable takes back what `.env` says
    _fill(settings, _gateway_defaults(ports, secrets, redis_url))
    _fill(settings, {"RESOURCE_API_HOST": "127.0.0.1"})
    # Nobody balances here, and who stops it waits.
    _fill(settings, {"GATEWAY_SHUTDOWN_DELAY_SECONDS": "0", "RESOURCE_API_SHUTDOWN_DELAY_SECONDS": "0"})
    settings |= {
        "GATEWAY_PORT": str(ports.gateway),
        "GATEWAY_ADMIN_PORT": str(ports.admin),
        "RESOURCE_API_PORT": str(ports.api),
    }
    if not real:
        # Identity is the local tenant's alone: a client id left over in `.env` would only be refused by it.
        settings |= _local_identity(settings, ports, secrets)
    api_elsewhere = (
        real and _is_set(own, "GATEWAY_RESOURCE_API_URL") and not _is_set(own, "RESOURCE_API_CLIENT_ID")
    )
    parts = tuple(
        part
        for part, runs_here in (("tenant", not real), ("api", not api_elsewhere), ("gateway", True))
        if runs_here
    )
    return LocalEnvironment(settings, _for_python(surroundings, root), parts)


def _gateway_defaults(ports: Ports, secrets: LocalSecrets, redis_url: str | None) -> Settings:
    defaults = {
        "GATEWAY_HOST": "127.0.0.1",
        "GATEWAY_PUBLIC_URL": f"http://localhost:{ports.gateway}",
        "GATEWAY_RESOURCE_API_URL": f"http://127.0.0.1:{ports.api}",
        "GATEWAY_SEALING_KEYS": secrets.sealing_keys,
    }
    return defaults if redis_url is None else defaults | {"GATEWAY_REDIS_URL": redis_url}


def _local_identity(settings: Settings, ports: Ports, secrets: LocalSecrets) -> Settings:
    tenant_url = f"http://127.0.0.1:{ports.tenant}"
    # Emptied rather than removed: the services read `.env` again, and a variable goes before it.
    emptied = dict.fromkeys(_NOT_LOCAL, "")
    return emptied | {
        "LOCAL_TENANT_HOST": "127.0.0.1",
        "LOCAL_TENANT_PORT": str(ports.tenant),
        "LOCAL_TENANT_PUBLIC_URL": tenant_url,
        "LOCAL_TENANT_GATEWAY_URL": settings["GATEWAY_PUBLIC_URL"],
        "LOCAL_TENANT_GATEWAY_SECRET": secrets.gateway_client_secret,
        "LOCAL_TENANT_API_SECRET": secrets.api_client_secret,
        "GATEWAY_TENANT_SUBDOMAIN": TENANT_SUBDOMAIN,
        "GATEWAY_TENANT_ID": TENANT_ID,
        "GATEWAY_CLIENT_ID": GATEWAY_CLIENT_ID,
        "GATEWAY_CLIENT_SECRET": secrets.gateway_client_secret,
        "GATEWAY_EDIT_PROFILE_SCOPE": EDIT_PROFILE_SCOPE,
        "GATEWAY_AUTHORITY_MAP": tenant_url,
        "RESOURCE_API_TENANT_SUBDOMAIN": TENANT_SUBDOMAIN,
        "RESOURCE_API_TENANT_ID": TENANT_ID,
        "RESOURCE_API_CLIENT_ID": API_CLIENT_ID,
        "RESOURCE_API_CLIENT_SECRET": secrets.api_client_secret,
        "RESOURCE_API_ALLOWED_CLIENTS": GATEWAY_CLIENT_ID,
        "RESOURCE_API_AUTHORITY_MAP": tenant_url,
    }


def _fill(settings: Settings, defaults: Mapping[str, str]) -> None:
    for name, value in defaults.items():
        if not _is_set(settings, name):
            settings[name] = value


def _leads_here(url: str) -> bool:
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _is_set(settings: Mapping[str, str], name: str) -> bool:
    return bool(settings.get(name) or settings.get(f"{name}_FILE"))


def _for_python(surroundings: Mapping[str, str], root: Path | None) -> Settings:
    # The parts run from any directory, and write their lines at once.
    others = {name: value for name, value in surroundings.items() if not is_setting(name)}
    others["PYTHONUNBUFFERED"] = "1"
    if root:
        others["PYTHONPATH"] = ":".join(filter(None, (str(root), others.get("PYTHONPATH", ""))))
    return others

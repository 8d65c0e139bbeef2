"""Two APIs of other teams, as the tenant knows them and as rows of the gateway: files for a world that has them.

Notes ask for nothing beyond a sign-in; bills are behind MFA by policy. Nobody serves them here: whoever sends a request
gives the rows a target of its own.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gateway.tokens.resources import Resource
from local_tenant.configuration import BUNDLED
from tests.stage.tenant import API

NOTES_API: Final = "c3a1f6d4-2b57-4c80-9e1a-6f0d8b2e7c01"
BILLS_API: Final = "d4b2a7e5-3c68-4d91-8f2b-7a1e9c3f8d02"
NOTES: Final = Resource("notes", f"api://{NOTES_API}/Notes.Read")
BILLS: Final = Resource("bills", f"api://{BILLS_API}/Bills.Pay")
_CONSENT: Final = f'"{API}" = ["EditProfileService.ReadWrite"]\n'


@dataclass(frozen=True)
class OtherApis:
    """Where the files are that the tenant and the gateway start with."""

    tenant_file: Path
    rows_file: Path


def write(
    folder: Path, *, rows: str = "", target: str = "http://127.0.0.1:9", bills_max_age: int | None = None
) -> OtherApis:
    """Write them; `rows` are more rows, and `bills_max_age` is how long a confirmation for bills is good."""
    tenant = BUNDLED.read_text(encoding="utf-8").replace(
        _CONSENT, f'{_CONSENT}"{NOTES_API}" = ["Notes.Read"]\n"{BILLS_API}" = ["Bills.Pay"]\n', 1
    )
    tenant += "".join(
        f'\n[[apps]]\nclient_id = "{api}"\nname = "{name}"\nidentifier_uris = ["api://{api}"]\nscopes = ["{scope}"]\n'
        for api, name, scope in ((NOTES_API, "Notes", "Notes.Read"), (BILLS_API, "Bills", "Bills.Pay"))
    )
    tenant += (
        f'\n[[policies]]\nid = "e7d8c5f0-93a2-4bb1-a5d3-4f0a6c82d1e3"\ntarget = "{BILLS_API}"\nmfa = true\n'
    )
    aged = f"max_age = {bills_max_age}\n" if bills_max_age else ""
    listed = (
        f'[[upstream]]\nname = "notes"\nprefix = "/api/notes"\ntarget = "{target}"\nscope = "{NOTES.scope}"\n'
        f'[[upstream]]\nname = "bills"\nprefix = "/api/bills"\ntarget = "{target}"\nscope = "{BILLS.scope}"\n{aged}'
        f"{rows}"
    )
    files = OtherApis(folder / "tenant.toml", folder / "upstreams.toml")
    files.tenant_file.write_text(tenant, encoding="utf-8")
    files.rows_file.write_text(listed, encoding="utf-8")
    return files

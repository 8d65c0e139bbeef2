"""The examples that `python3 dev.py --example NAME` runs with the product, by what their folders hold.

Owns what each file of such a folder is for: `upstreams.toml` has the rows of GATEWAY_UPSTREAMS, `page/` is served as
GATEWAY_FRONT_END, and `api.py` is a program beside the other parts, which is told where it listens and whose tokens are
good. Never changes a file of an example.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from devstack.environment import TENANT_ID, Settings, has_real_tenant
from devstack.errors import LaunchError
from devstack.ports import Ports, free_port, in_use
from devstack.processes import Program

PORT = 3003


@dataclass(frozen=True, slots=True)
class Example:
    """An example's folder, and where its API listens if it has one."""

    folder: Path
    port: int

    @property
    def name(self) -> str:
        """What its part is called."""
        return self.folder.name

    def settings(self, workdir: Path) -> Settings:
        """Return what the gateway is told of it; rows lie in `workdir` where the API has another port."""
        own: Settings = {}
        if (page := self.folder / "page").is_dir():
            own["GATEWAY_FRONT_END"] = str(page)
        if (rows := self.folder / "upstreams.toml").is_file():
            own["GATEWAY_UPSTREAMS"] = str(rows if self.port == PORT else self._moved(rows, workdir))
        return own

    def program(self, surroundings: Mapping[str, str], tenant_url: str, logs: Path) -> Program | None:
        """Return its API as a program; None where it has none."""
        api = self.folder / "api.py"
        if not api.is_file():
            return None
        prefix = self.name.upper().replace("-", "_")
        environment = {
            **surroundings,
            "PYTHONUNBUFFERED": "1",
            f"{prefix}_PORT": str(self.port),
            f"{prefix}_ISSUER": f"https://{TENANT_ID}.ciamlogin.com/{TENANT_ID}/v2.0",
            f"{prefix}_KEYS": f"{tenant_url}/{TENANT_ID}/discovery/v2.0/keys",
        }
        return Program(
            self.name, (sys.executable, str(api)), environment, self.folder, logs / f"{self.name}.log"
        )

    def _moved(self, rows: Path, workdir: Path) -> Path:
        workdir.mkdir(parents=True, exist_ok=True)
        moved = workdir / f"{self.name}-upstreams.toml"
        text = rows.read_text(encoding="utf-8").replace(f"127.0.0.1:{PORT}", f"127.0.0.1:{self.port}")
        moved.write_text(text, encoding="utf-8")
        return moved


def example_named(name: str, packages: Path, own: Mapping[str, str], ports: Ports) -> Example:
    """Return an example. Raises LaunchError where there is none of that name, or where it would have no tenant."""
    folder = packages / "examples"
    known = sorted(path.parent.name for path in folder.glob("*/README.md"))
    if name not in known:
        named = f"There are: {', '.join(known)}." if known else "Examples are only in a working copy."
        raise LaunchError(f"There is no example {name!r}. {named}")
    if has_real_tenant(own):
        raise LaunchError(
            "An example is registered in the local tenant alone. Leave GATEWAY_TENANT_SUBDOMAIN and GATEWAY_AUTHORITY "
            f"out, also of .env; to register it in your own tenant, see examples/{name}/README.md."
        )
    taken = {ports.gateway, ports.admin, ports.api, ports.tenant, ports.valkey}
    return Example(folder / name, free_port() if PORT in taken or in_use(PORT) else PORT)

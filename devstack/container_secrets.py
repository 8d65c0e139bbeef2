"""Makes the secrets of both compose files, once, each into the volume of the service that needs it.

Owns the files' names, which docker-compose.yml gives to the services as `…_FILE` settings.
What exists is left as it is, so that sessions survive `docker compose down` and `up`; `down --volumes` starts afresh.
"""

import argparse
import os
from pathlib import Path

from devstack.local_secrets import LocalSecrets, new_token

_REDIS = """\
requirepass {password}
dir /data
appendonly yes
appendfsync everysec
save ""
maxmemory 192mb
maxmemory-policy noeviction
"""


def make(volumes: Path, *, own_tenant: bool = False) -> list[Path]:
    """Write the files that are missing below a directory; their paths come back.

    With `own_tenant` the client secrets are left out, because they are the tenant's to give: a made-up one would look
    like one that was put there.
    """
    secrets, password = LocalSecrets(), new_token()
    redis = volumes / "redis"
    if (redis / "password").exists():  # the other files quote it
        password = (redis / "password").read_text(encoding="utf-8")
    contents = {
        redis / "password": password,
        redis / "redis.conf": _REDIS.format(password=password),
        volumes / "gateway" / "redis-url": f"redis://:{password}@redis:6379/0",
        volumes / "gateway" / "client-secret": secrets.gateway_client_secret,
        volumes / "gateway" / "sealing-keys": secrets.sealing_keys,
        volumes / "resource-api" / "client-secret": secrets.api_client_secret,
        # Not empty, so that no engine lays the image's own directory and owner over the volume.
        volumes / "redis-data" / ".stepup": "",
    }
    if own_tenant:
        contents = {path: text for path, text in contents.items() if path.name != "client-secret"}
        for part in ("gateway", "resource-api", "resource-api-state"):
            (volumes / part).mkdir(parents=True, exist_ok=True)
    missing = [path for path in contents if not path.exists()]
    for path in missing:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(
            os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400), "w", encoding="utf-8"
        ) as file:
            file.write(contents[path])
    return missing


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m devstack.container_secrets", allow_abbrev=False)
    parser.add_argument("volumes", type=Path, help="the directory that gets a directory for each part")
    parser.add_argument(
        "--own-tenant", action="store_true", help="leave out the client secrets, which your own tenant gives"
    )
    chosen = parser.parse_args()
    for written in make(chosen.volumes, own_tenant=chosen.own_tenant):
        print(f"made {written}")

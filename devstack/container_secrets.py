"""Makes the secrets of `docker compose up`, once, each into the volume of the service that needs it.

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


def make(volumes: Path) -> list[Path]:
    """Write the files that are missing below a directory; their paths come back."""
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
    for written in make(parser.parse_args().volumes):
        print(f"made {written}")

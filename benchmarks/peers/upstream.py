"""The API behind everybody: one nginx that answers at once whoever brings a bearer token, and refuses others.

Never looks at the token itself: what a token is worth is not what is measured. Needs nginx with no module beyond its
own.
"""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from benchmarks.peers.started import started
from benchmarks.peers.wrk import MissingProgramError
from devstack.processes import Program

ANSWER: Final = json.dumps(
    {
        "id": "5b0e2f4a-8c1d-4e7b-9f36-a1c2d3e4f501",
        "displayName": "Ada Lovelace",
        "givenName": "Ada",
        "surname": "Lovelace",
        "jobTitle": "Analyst",
        "streetAddress": "12 St James Square",
        "city": "London",
        "state": "England",
        "postalCode": "SW1Y 4JH",
        "country": "United Kingdom",
        "preferredLanguage": "en-GB",
        "mail": "ada@example.com",
    }
)
"""What a read brings: a profile as Graph tells it, so that the same server stands for Graph too."""
_FILE: Final = """
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log stderr error;
events {{ worker_connections 2048; }}
http {{
  access_log off;
  keepalive_requests 100000000;
  keepalive_timeout 600s;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port} backlog=1024;
    default_type application/json;
    location / {{
      if ($http_authorization !~ "^Bearer [^ ]+$") {{ return 401 '{{"error": "no token"}}'; }}
      return 200 '{answer}';
    }}
  }}
}}
"""


@contextmanager
def upstream(folder: Path, port: int, core: int) -> Iterator[str]:
    """Serve the API on a port while the block runs, and yield its address. Raises MissingProgramError."""
    program = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        raise MissingProgramError("nginx is not installed (Debian: nginx-light)")
    folder.mkdir()
    file = folder / "nginx.conf"
    file.write_text(_FILE.format(folder=folder, port=port, answer=ANSWER), encoding="ascii")
    command = (program, "-p", str(folder), "-e", "stderr", "-c", str(file))
    with started(Program("upstream", command, os.environ, folder, folder / "log"), port, core):
        yield f"http://127.0.0.1:{port}"

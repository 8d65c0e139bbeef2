"""nginx with lua-resty-openidc, sessions in Redis; a location of three lines says who is signed in.

Debian has nginx' Lua module; lua-resty-openidc and what it needs come by LuaRocks (`luarocks --lua-version 5.1 install
lua-resty-openidc`). It is measured where both are installed.
"""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from benchmarks.peers.installed import NotInstalledError
from benchmarks.peers.installed import program as installed
from benchmarks.peers.peer import CLIENT, SCOPES, SECRET, Around, Peer, Ways, program

SHARES: Final = (Path("/usr/local/share/lua/5.1"), Path("/usr/share/lua/5.1"))
_MODULES: Final = Path("/usr/share/nginx/modules-available/mod-http-lua.conf")
_FILE: Final = """
load_module /usr/lib/nginx/modules/ndk_http_module.so;
load_module /usr/lib/nginx/modules/ngx_http_lua_module.so;
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log stderr error;
events {{ worker_connections 2048; }}
http {{
  access_log off;
  keepalive_requests 100000000;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  lua_package_path "{paths};;";
  lua_shared_dict discovery 1m;
  lua_shared_dict jwks 1m;
  upstream api {{ server {upstream}; keepalive 100; }}
  init_by_lua_block {{
    function person(unauthenticated)
      local options = {{
        redirect_uri = "http://localhost:{port}/auth/callback", client_id = "{client}",
        client_secret = "{secret}", discovery = "{provider}/.well-known/openid-configuration",
        scope = "{scopes}", use_pkce = true, ssl_verify = "no",
        session_contents = {{ user = true, id_token = true, access_token = true }},
      }}
      local found, fault = require("resty.openidc").authenticate(options, nil, unauthenticated, {{
        secret = "a-key-of-the-benchmark-that-signs-session-ids", storage = "redis",
        cookie_secure = false,
        redis = {{ host = "{redis_host}", port = {redis_port}, password = "{redis_password}" }},
      }})
      if fault or not found then ngx.status = 401; ngx.say(fault or "sign in"); ngx.exit(401) end
      return found
    end
  }}
  server {{
    listen 127.0.0.1:{port} backlog=1024;
    location /auth/ {{ access_by_lua_block {{ person() }} return 200 "signed in"; }}
    location = /api/session {{
      content_by_lua_block {{
        ngx.header.content_type = "application/json"; ngx.say(require("cjson").encode(person("deny").user))
      }}
    }}
    location /api/rows/ {{
      access_by_lua_block {{
        ngx.req.set_header("Authorization", "Bearer " .. person("deny").access_token)
        ngx.req.clear_header("Cookie")
      }}
      proxy_http_version 1.1; proxy_set_header Connection ""; proxy_pass http://api/;
    }}
  }}
}}
"""


@contextmanager
def lua_resty_openidc(around: Around) -> Iterator[Peer]:
    """Run it while the block runs."""
    server = installed("nginx", "nginx-light")
    if not _MODULES.exists():
        raise NotInstalledError("nginx has no Lua module (Debian: libnginx-mod-http-lua)")
    if not any((share / "resty" / "openidc.lua").is_file() for share in SHARES):
        raise NotInstalledError("lua-resty-openidc is not installed: it comes by LuaRocks, not from Debian")
    redis = urlsplit(around.redis)

    def command(folder: Path, port: int) -> tuple[str, ...]:
        file = folder / "nginx.conf"
        file.write_text(
            _FILE.format(
                folder=folder,
                port=port,
                paths=";".join(f"{share}/?.lua" for share in SHARES),
                upstream=urlsplit(around.upstream).netloc,
                provider=around.provider,
                client=CLIENT,
                secret=SECRET,
                scopes=SCOPES,
                redis_host=redis.hostname,
                redis_port=redis.port,
                redis_password=redis.password,
            ),
            encoding="ascii",
        )
        return (server, "-p", str(folder), "-e", "stderr", "-c", str(file))

    shown = subprocess.run([server, "-v"], capture_output=True, text=True, check=True).stderr  # noqa: S603 -- named above
    ways = Ways("/auth/sign-in", "/api/session", "/api/rows/1")
    told = {"PATH": "/usr/bin:/bin"}
    versions = shown.strip()[-40:]
    with program(
        around, "lua-resty-openidc", command, environment=told, ways=ways, versions=versions
    ) as peer:
        yield peer

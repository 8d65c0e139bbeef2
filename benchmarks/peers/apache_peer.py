"""Apache with mod_auth_openidc, sessions in Redis; its "info" hook says who is signed in."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from benchmarks.peers.installed import NotInstalledError
from benchmarks.peers.installed import program as installed
from benchmarks.peers.peer import CLIENT, SCOPES, SECRET, Around, Peer, Ways, program

MODULES: Final = Path("/usr/lib/apache2/modules")
_FILE: Final = """
ServerRoot {folder}
ServerName localhost
User www-data
Group www-data
Listen 127.0.0.1:{port}
PidFile {folder}/pid
ErrorLog {folder}/errors
LogLevel warn
DefaultRuntimeDir {folder}
Mutex pthread
{modules}
KeepAlive On
MaxKeepAliveRequests 0
KeepAliveTimeout 75
StartServers 1
ServerLimit 1
ThreadsPerChild 128
ThreadLimit 128
MaxRequestWorkers 128

OIDCProviderMetadataURL {provider}/.well-known/openid-configuration
OIDCClientID {client}
OIDCClientSecret {secret}
OIDCScope "{scopes}"
OIDCRedirectURI http://localhost:{port}/auth/callback
OIDCCryptoPassphrase a-key-of-the-benchmark-that-signs-states
OIDCPKCEMethod S256
OIDCSessionType server-cache
OIDCCacheType redis
OIDCRedisCacheServer {redis_server}
OIDCRedisCachePassword "{redis_password}"
OIDCInfoHook iat exp userinfo id_token session
OIDCSessionInactivityTimeout 28800

<Location /auth/>
  AuthType openid-connect
  Require valid-user
</Location>
<Location /api/rows/>
  AuthType openid-connect
  Require valid-user
  RequestHeader set Authorization "expr=Bearer %{{reqenv:OIDC_access_token}}"
  RequestHeader unset Cookie
  ProxyPass {upstream}/ enablereuse=on keepalive=On max=128
</Location>
"""
_NAMES: Final = (
    "mpm_event",
    "authn_core",
    "authz_core",
    "authz_user",
    "auth_openidc",
    "env",
    "headers",
    "proxy",
    "proxy_http",
)


@contextmanager
def apache(around: Around) -> Iterator[Peer]:
    """Run it while the block runs."""
    server = installed("apache2", "apache2")
    if not (MODULES / "mod_auth_openidc.so").is_file():
        raise NotInstalledError("mod_auth_openidc is not installed (Debian: libapache2-mod-auth-openidc)")
    redis = urlsplit(around.redis)
    loaded = "\n".join(f"LoadModule {name}_module {MODULES}/mod_{name}.so" for name in _NAMES)

    def command(folder: Path, port: int) -> tuple[str, ...]:
        file = folder / "apache.conf"
        file.write_text(
            _FILE.format(
                folder=folder,
                port=port,
                modules=loaded,
                provider=around.provider,
                client=CLIENT,
                secret=SECRET,
                scopes=SCOPES,
                redis_server=f"{redis.hostname}:{redis.port}",
                redis_password=redis.password,
                upstream=around.upstream,
            ),
            encoding="ascii",
        )
        return (server, "-D", "FOREGROUND", "-f", str(file))

    ways = Ways("/api/rows/1", "/auth/callback?info=json", "/api/rows/1")
    told, versions = {"PATH": "/usr/bin:/bin"}, _versions(server)
    with program(around, "apache", command, environment=told, ways=ways, versions=versions) as peer:
        yield peer


def _versions(server: str) -> str:
    shown = subprocess.run([server, "-v"], capture_output=True, text=True, check=True).stdout  # noqa: S603 -- named above
    apache_version = shown.split("Apache/")[1].split()[0]
    listed = subprocess.run(
        ["dpkg-query", "--show", "--showformat=${Version}", "libapache2-mod-auth-openidc"],  # noqa: S607 -- Debian's
        capture_output=True,
        text=True,
        check=False,
    )
    return f"Apache {apache_version}, mod_auth_openidc {listed.stdout or 'of this system'}"

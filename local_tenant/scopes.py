"""What a ``scope`` parameter asks for: OpenID scopes, and permissions of resources. Knows consent; issues nothing.

Entra's rules: a bare permission such as ``User.Read`` is Graph's, the answer echoes the spelling that was asked for,
and a token is always for one resource.
"""

from dataclasses import dataclass
from typing import Final

from local_tenant.directory import GRAPH, AppRegistration, Directory
from local_tenant.refusals import refusal

OPENID: Final = frozenset({"openid", "profile", "email", "offline_access"})
SIGN_IN: Final = ("openid", "profile", "email")
GRAPH_URI: Final = "https://graph.microsoft.com"
GRAPH_PERMISSIONS: Final = frozenset({"User.Read", "User.ReadWrite"})
_GRAPH_NAMES: Final = frozenset({GRAPH_URI, GRAPH})


@dataclass(frozen=True, slots=True)
class Permission:
    """One permission of one resource, with the spelling that was asked for."""

    resource: str
    name: str
    spelling: str


@dataclass(frozen=True, slots=True)
class RequestedScope:
    """A scope parameter, understood; permissions keep the order they were asked in."""

    openid: frozenset[str]
    permissions: tuple[Permission, ...]

    @classmethod
    def parse(cls, text: str, directory: Directory) -> "RequestedScope":
        """Read the parameter. Raises 28003 (empty), 500011 (unknown resource) or 70011 (unknown permission)."""
        words = tuple(dict.fromkeys(text.split()))
        if not words:
            raise refusal(28003)
        openid = frozenset(word for word in words if word in OPENID)
        return cls(openid, tuple(_permission(word, directory) for word in words if word not in OPENID))

    @property
    def resources(self) -> tuple[str, ...]:
        """Return the resources asked for, in order; OpenID scopes alone mean Graph."""
        return tuple(dict.fromkeys(permission.resource for permission in self.permissions)) or (GRAPH,)

    def only_resource(self) -> str:
        """Return the one resource asked for. Raises 28000 for more than one."""
        first, *more = self.resources
        if more:
            raise refusal(28000)
        return first

    def of(self, resource: str) -> tuple[Permission, ...]:
        """Return the permissions asked of one resource."""
        return tuple(permission for permission in self.permissions if permission.resource == resource)


def _permission(word: str, directory: Directory) -> Permission:
    uri, slash, name = word.rpartition("/")
    if not slash or uri in _GRAPH_NAMES:
        if name != ".default" and name not in GRAPH_PERMISSIONS:
            raise refusal(70011, name=word)
        return Permission(GRAPH, name, word)
    api = directory.api_named(uri)
    if api is None:
        raise refusal(500011, name=uri)
    if name != ".default" and name not in api.scopes:
        raise refusal(70011, name=word)
    return Permission(api.client_id, name, word)


@dataclass(frozen=True, slots=True)
class GrantedScope:
    """What a token will carry: ``scp`` in the token, ``answer`` in the token endpoint's JSON."""

    resource: str
    scp: tuple[str, ...]
    answer: str


def check_consent(client: AppRegistration, requested: RequestedScope, resource: str) -> None:
    """Raise 65001 unless an administrator granted all that is asked of ``resource``."""
    granted = set(client.consent.get(resource, ()))
    names = {permission.name for permission in requested.of(resource)} - {".default"}
    if not names <= granted or (requested.of(resource) and not granted):
        raise refusal(65001, client=client.client_id)


def grant(client: AppRegistration, requested: RequestedScope, resource: str) -> GrantedScope:
    """Return what the client gets of ``resource``: all that was ever consented to. Raises 65001.

    The answer spells permissions as they were asked for: MSAL files tokens under that spelling. Graph's also names
    the OpenID scopes, asked for or not; another resource's doesn't.
    """
    check_consent(client, requested, resource)
    permissions = requested.of(resource)
    granted = client.consent.get(resource, ())
    spellings = {permission.name: permission.spelling for permission in permissions}
    prefix = permissions[0].spelling.rpartition("/")[0] if permissions else ""
    words = [spellings.get(name) or (f"{prefix}/{name}" if prefix else name) for name in granted]
    if resource == GRAPH:
        scp = tuple(dict.fromkeys([*SIGN_IN, *granted]))
        return GrantedScope(resource, scp, " ".join(dict.fromkeys([*SIGN_IN, *words])))
    return GrantedScope(resource, tuple(granted), " ".join(words))

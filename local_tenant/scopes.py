"""What a ``scope`` parameter asks for: OpenID scopes, and permissions of resources. Knows consent; issues nothing.

Entra's rules: a bare permission such as ``User.Read`` is Graph's, upper and lower case are the same, the answer echoes
the spelling that was asked for, and a token is always for one resource.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from local_tenant.app_registration import AppRegistration
from local_tenant.directory import GRAPH, Directory
from local_tenant.refusals import refusal

OPENID: Final = frozenset({"openid", "profile", "email", "offline_access"})
SIGN_IN: Final = ("openid", "profile", "email")
GRAPH_URI: Final = "https://graph.microsoft.com"
GRAPH_PERMISSIONS: Final = frozenset({"User.Read", "User.ReadWrite"})
_GRAPH_NAMES: Final = frozenset({GRAPH_URI, GRAPH})
_DEFAULT: Final = ".default"


@dataclass(frozen=True, slots=True)
class Permission:
    """One permission of one resource."""

    resource: str
    name: str
    """As the resource spells it."""
    spelling: str
    """As it was asked for, resource and all."""


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
        openid = frozenset(word.casefold() for word in words) & OPENID
        asked = (word for word in words if word.casefold() not in OPENID)
        return cls(openid, tuple(_permission(word, directory) for word in asked))

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
    if not slash or uri.casefold() in _GRAPH_NAMES:
        return Permission(GRAPH, _as_spelled(name, GRAPH_PERMISSIONS, word), word)
    api = directory.api_named(uri)
    if api is None:
        raise refusal(500011, name=uri)
    return Permission(api.client_id, _as_spelled(name, api.scopes, word), word)


def _as_spelled(name: str, known: Iterable[str], word: str) -> str:
    for spelled in (_DEFAULT, *known):
        if name.casefold() == spelled.casefold():
            return spelled
    raise refusal(70011, name=word)


def check_resource(named: str | None, requested: RequestedScope, directory: Directory) -> None:
    """Raise 9010010 where a ``resource`` parameter (RFC 8707) names another resource than the scopes do.

    Entra's second version reads the resource from the scopes.
    """
    if not named:
        return
    api = directory.api_named(named)
    resource = GRAPH if named.rstrip("/").casefold() in _GRAPH_NAMES else api.client_id if api else named
    if resource not in requested.resources:
        raise refusal(9010010)


@dataclass(frozen=True, slots=True)
class GrantedScope:
    """What a token will carry: ``scp`` in the token, ``answer`` in the token endpoint's JSON."""

    resource: str
    scp: tuple[str, ...]
    answer: str


def check_consent(client: AppRegistration, requested: RequestedScope, resource: str) -> None:
    """Raise 65001 unless an administrator granted all that is asked of ``resource``."""
    granted = {name.casefold() for name in client.granted(resource)}
    names = {permission.name.casefold() for permission in requested.of(resource)} - {_DEFAULT}
    if not names <= granted or (requested.of(resource) and not granted):
        raise refusal(65001, client=client.client_id)


def grant(client: AppRegistration, requested: RequestedScope, resource: str) -> GrantedScope:
    """Return what the client gets of ``resource``: all that was ever consented to. Raises 65001.

    The answer spells permissions as they were asked for: MSAL files tokens under that spelling. Graph's also names
    the OpenID scopes, asked for or not; another resource's doesn't.
    """
    check_consent(client, requested, resource)
    permissions = requested.of(resource)
    granted = client.granted(resource)
    spellings = {permission.name.casefold(): permission.spelling for permission in permissions}
    prefix = permissions[0].spelling.rpartition("/")[0] if permissions else ""
    words = [spellings.get(name.casefold()) or (f"{prefix}/{name}" if prefix else name) for name in granted]
    if resource == GRAPH:
        scp = tuple(dict.fromkeys([*SIGN_IN, *granted]))
        return GrantedScope(resource, scp, " ".join(dict.fromkeys([*SIGN_IN, *words])))
    return GrantedScope(resource, tuple(granted), " ".join(words))

"""What the gateway asks tokens for: reading the profile, editing it, and the scope of each upstream.

Owns the names of these resources, and finding one by its name or by its scope.
Never asks for a token.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from gateway.store.names import digest_of

GRAPH: Final = "graph"
EDIT: Final = "edit"
"""What the two resources are called in records that come along: Graph, to read the profile, and the resource API."""
_KEY_CHARACTERS: Final = 16


@dataclass(frozen=True, slots=True)
class Resource:
    """A downstream resource: its short name, and the one scope that is asked for it.

    One resource per token request, always: the authority answers for the first only, and MSAL files the token
    under both.
    """

    name: str
    scope: str
    key: str = field(init=False, repr=False, compare=False)
    """What its records in a session are called by: of an upstream, by the scope alone.

    Rows change while sessions live on. A token that was given for one scope is never taken for that of another, and is
    found again where a row has another name.
    """

    def __post_init__(self) -> None:
        own = self.name in {GRAPH, EDIT}
        key = self.name if own else f"scope-{digest_of('scope', self.scope)[:_KEY_CHARACTERS]}"
        object.__setattr__(self, "key", key)


class Resources:
    """All of them: `read` and `edit` are the profile's, `others` those of upstreams.

    Rows of one scope share a resource, and so a token: it is called by the name that came first.
    """

    def __init__(self, read: Resource, edit: Resource, others: Iterable[Resource] = ()) -> None:
        self.read = read
        self.edit = edit
        self._by_scope: dict[str, Resource] = {}
        for resource in (read, edit, *others):
            self._by_scope.setdefault(resource.scope, resource)
        self._by_key = {resource.key: resource for resource in self._by_scope.values()}

    def __iter__(self) -> Iterator[Resource]:
        return iter(self._by_scope.values())

    def __contains__(self, scope: str) -> bool:
        return scope in self._by_scope

    def of_key(self, key: str) -> Resource | None:
        """Return the resource whose records are called by `key`, if there is one."""
        return self._by_key.get(key)

    def of_scope(self, scope: str) -> Resource:
        """Return the resource that a scope belongs to; raises KeyError for one that no row has."""
        return self._by_scope[scope]

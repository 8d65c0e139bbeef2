"""Microsoft's Graph SDK for Python without its generated model: msgraph-core and Kiota, as msgraph-sdk stacks them.

msgraph-sdk itself is 392 MB installed. Its requests were taken from release 1.65.0 against the tenant and are these:
the middlewares and their options, the address by URL template, the user's `@odata.type` in front. A program of its own,
configured by one JSON argument; says in lines of JSON what came.
"""

import asyncio
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
from kiota_abstractions.api_error import APIError
from kiota_abstractions.authentication import BaseBearerTokenAuthenticationProvider
from kiota_abstractions.method import Method
from kiota_abstractions.request_information import RequestInformation
from kiota_abstractions.serialization import (
    Parsable,
    ParseNodeFactoryRegistry,
    SerializationWriterFactoryRegistry,
)
from kiota_http.middleware.options import UrlReplaceHandlerOption
from kiota_serialization_json.json_parse_node_factory import JsonParseNodeFactory
from kiota_serialization_json.json_serialization_writer_factory import JsonSerializationWriterFactory
from msgraph_core import APIVersion, BaseGraphRequestAdapter, GraphClientFactory
from msgraph_core.middleware.options import GraphTelemetryHandlerOption

GIVEN = json.loads(sys.argv[1])
ADDRESS = "{+baseurl}/users/{user%2Did}{?%24expand,%24select}"
OPTIONS = {
    UrlReplaceHandlerOption.get_key(): UrlReplaceHandlerOption(
        enabled=True, replacement_pairs={"/users/me-token-to-replace": "/me"}
    ),
    GraphTelemetryHandlerOption.get_key(): GraphTelemetryHandlerOption(
        api_version=APIVersion.v1, sdk_version="1.65.0"
    ),
}


def tell(**message: object) -> None:
    """Say something to the test."""
    print(json.dumps(message, default=str), flush=True)  # noqa: T201 - the conversation


@dataclass
class User(Parsable):  # type: ignore[misc] # read as Any, whether installed or not
    """A user as the generated model has one, with a few of its properties."""

    additional_data: dict[str, Any] = field(default_factory=dict)
    odata_type: str | None = "#microsoft.graph.user"
    id: str | None = None
    display_name: str | None = None
    city: str | None = None
    street_address: str | None = None
    created: Any = None
    mail: str | None = None

    @staticmethod
    def create_from_discriminator_value(_: Any) -> "User":
        """Make one to fill."""
        return User()

    def get_field_deserializers(self) -> dict[str, Callable[[Any], None]]:
        """Say how each property is read."""

        def into(name: str) -> Callable[[Any], None]:
            return lambda node: setattr(self, name, node.get_str_value())

        return {
            "id": into("id"),
            "displayName": into("display_name"),
            "city": into("city"),
            "streetAddress": into("street_address"),
            "mail": into("mail"),
            "createdDateTime": lambda node: setattr(self, "created", node.get_datetime_value()),
        }

    def serialize(self, writer: Any) -> None:
        """Write what is set."""
        writer.write_str_value("@odata.type", self.odata_type)
        writer.write_str_value("city", self.city)
        writer.write_str_value("mail", self.mail)
        writer.write_str_value("streetAddress", self.street_address)


@dataclass
class Refused(APIError, Parsable):  # type: ignore[misc] # the same
    """Graph's error, as the generated one reads it."""

    additional_data: dict[str, Any] = field(default_factory=dict)
    code: str | None = None
    text: str | None = None

    @staticmethod
    def create_from_discriminator_value(_: Any) -> "Refused":
        """Make one to fill."""
        return Refused()

    def get_field_deserializers(self) -> dict[str, Callable[[Any], None]]:
        """Say how the error is read."""
        return {"error": self._read}

    def _read(self, node: Any) -> None:
        self.code = node.get_child_node("code").get_str_value()
        self.text = node.get_child_node("message").get_str_value()

    def serialize(self, _: Any) -> None:
        """Write nothing: errors are only read."""


class Tokens:
    """Hands out the token that the test gave."""

    async def get_authorization_token(self, *_: Any) -> str:
        """Return it."""
        return str(GIVEN["token"])

    def get_allowed_hosts_validator(self) -> Any:
        """Return nothing: the one host is Graph's."""
        return None


async def to_the_tenant(request: httpx.Request) -> httpx.Response:
    """Send a request to the tenant instead of Graph's host, and tell what it was."""
    content = await request.aread()
    tell(
        asked=f"{request.method} {request.url.raw_path.decode()}",
        host=request.url.host,
        body=content.decode(),
        headers=dict(request.headers) | {"authorization": "cut"},
    )
    async with httpx.AsyncClient(trust_env=False) as client:
        address = f"{GIVEN['tenant']}{request.url.raw_path.decode()}"
        answer = await client.request(request.method, address, content=content, headers=request.headers)
    return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)


async def main() -> None:
    """Read, select, patch, and be refused."""
    client = httpx.AsyncClient(
        transport=httpx.MockTransport(to_the_tenant), base_url="https://graph.microsoft.com/v1.0"
    )
    adapter = BaseGraphRequestAdapter(
        BaseBearerTokenAuthenticationProvider(Tokens()),
        http_client=GraphClientFactory.create_with_default_middleware(client=client, options=OPTIONS),
    )
    json_only = "application/json"
    ParseNodeFactoryRegistry().CONTENT_TYPE_ASSOCIATED_FACTORIES[json_only] = JsonParseNodeFactory()
    SerializationWriterFactoryRegistry().CONTENT_TYPE_ASSOCIATED_FACTORIES[json_only] = (
        JsonSerializationWriterFactory()
    )
    adapter.base_url = "https://graph.microsoft.com/v1.0"

    async def call(method: Method, body: User | None = None, **query: list[str]) -> Any:
        request = RequestInformation(
            method,
            ADDRESS,
            {"user%2Did": "me-token-to-replace", **{f"%24{name}": names for name, names in query.items()}},
        )
        request.headers.try_add("Accept", json_only)
        if body is not None:
            request.set_content_from_parsable(adapter, json_only, body)
        try:
            return await adapter.send_async(request, User, {"XXX": Refused})
        except Refused as refused:
            return [refused.response_status_code, refused.code, refused.text]

    me = await call(Method.GET)
    patched = await call(Method.PATCH, User(city="Paris", street_address="Flat 3\nCanal Row"))
    names = ["id", "displayName", "city", "streetAddress", "createdDateTime"]
    selected = await call(Method.GET, select=names)
    mail = await call(Method.PATCH, User(mail="x@example.com"))
    unknown = await call(Method.GET, select=["shoeSize"])
    expanded = await call(Method.GET, expand=["manager"])
    tell(
        done={
            "me": vars(me),
            "patched": patched,
            "selected": vars(selected),
            "mail": mail,
            "unknown": unknown,
            "expanded": expanded,
        }
    )


if __name__ == "__main__":
    asyncio.run(main())

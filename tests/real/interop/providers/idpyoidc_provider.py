"""idpyoidc, an OpenID provider in Python, as an authority for the gateway: the library decides, this only serves.

Configured by one JSON argument; prints that it listens.
"""

import logging
import ssl
import sys
import tempfile
import traceback
from collections.abc import Mapping
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from idpyoidc.message.oauth2 import ResponseMessage
from idpyoidc.message.oidc import AuthorizationRequest
from idpyoidc.server import Server

from tests.real.interop.providers.idpyoidc_configuration import GIVEN, form, made


def say(*words: object) -> None:
    """Say something to the test."""
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


class Handler(BaseHTTPRequestHandler):
    """Brings requests to the library, and its answers back."""

    protocol_version = "HTTP/1.1"
    provider: Server

    def do_GET(self) -> None:
        """Answer."""
        self._answer({name: values[-1] for name, values in parse_qs(urlsplit(self.path).query).items()})

    def do_POST(self) -> None:
        """Answer."""
        body = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
        self._answer({name: values[-1] for name, values in parse_qs(body).items()})

    def _answer(self, sent: dict[str, str]) -> None:
        path = urlsplit(self.path).path.strip("/")
        if path == "jwks":
            self._send(200, self.provider.keyjar.export_jwks_as_json(), "application/json")
        elif path == "verify":
            self._signed_in(sent)
        elif path == "verify_logout":
            self._send(200, form("/rp_logout", sjwt=sent["sjwt"]))
        elif path == "rp_logout":
            self._signed_out(sent)
        else:
            self._endpoint(path, sent)

    def _endpoint(self, path: str, sent: dict[str, str]) -> None:
        endpoint = next((one for one in self.provider.endpoint.values() if one.endpoint_path == path), None)
        if endpoint is None:
            self._send(404, "nothing here", "text/plain")
            return
        try:
            asked = endpoint.parse_request(sent, http_info=self._http_info())
            if isinstance(asked, ResponseMessage) and "error" in asked:
                self._send(400, asked.to_json(), "application/json")
                return
            answer = endpoint.process_request(asked, http_info=self._http_info(), issue_refresh=True)
        except Exception as refused:  # noqa: BLE001 - the library refuses by exceptions of every kind
            say("refused:", *traceback.format_exception(refused))
            self._send(400, f"refused: {refused}", "text/plain")
            return
        self._respond(endpoint, asked, answer)

    def _respond(self, endpoint: Any, asked: Any, answer: Mapping[str, Any]) -> None:
        if "redirect_location" in answer:
            self._redirect(answer["redirect_location"])
        elif "http_response" in answer:
            self._send(200, answer["http_response"])
        elif isinstance(answer, ResponseMessage) and "error" in answer:
            say("refused:", answer.to_json())
            self._send(400, answer.to_json(), "application/json")
        else:
            said = endpoint.do_response(request=asked, **answer)
            cookies = said.get("cookie", [])
            placement = said.get("response_placement", endpoint.response_placement)
            if placement == "url":
                self._redirect(said["response"], cookies)
            else:
                kind = dict(said["http_headers"]).get("Content-type", "application/json")
                self._send(200, said["response"], kind, cookies)

    def _signed_in(self, sent: dict[str, str]) -> None:
        method = self.provider.context.authn_broker.db["form"]["method"]
        who = method.verify(**sent)
        if not who:
            self._send(403, "wrong", "text/plain")
            return
        ticket = method.unpack_token(sent["ticket"])
        asked = AuthorizationRequest().from_urlencoded(ticket["query"])
        endpoint = self.provider.endpoint["authorization"]
        session = endpoint.create_session(asked, who, ticket["authn_class_ref"], ticket["iat"], method)
        self._respond(endpoint, asked, endpoint.authz_part2(request=asked, session_id=session))

    def _signed_out(self, sent: dict[str, str]) -> None:
        endpoint = self.provider.endpoint["session"]
        ticket = endpoint.unpack_signed_jwt(sent["sjwt"])
        endpoint.do_verified_logout(alla=True, **ticket)
        self._redirect(ticket["redirect_uri"], endpoint.kill_cookies())

    def _http_info(self) -> dict[str, Any]:
        cookies = SimpleCookie(self.headers.get("Cookie", ""))
        return {
            "headers": {name.lower(): value for name, value in self.headers.items()},
            "method": self.command,
            "url": f"{GIVEN['issuer']}{self.path}",
            "cookie": [{"name": name, "value": morsel.value} for name, morsel in cookies.items()],
        }

    def _redirect(self, to: str, cookies: Any = ()) -> None:
        self._send(302, "", "text/plain", cookies, Location=to)

    def _send(self, status: int, body: str, kind: str = "text/html", cookies: Any = (), **more: str) -> None:
        content = body.encode()
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(content)), **more}.items():
            self.send_header(name, value)
        for cookie in cookies:
            life = f"; Max-Age={max(cookie['max-age'], 0)}" if "max-age" in cookie else ""
            self.send_header(
                "Set-Cookie", f"{cookie['name']}={cookie['value']}; Path=/; Secure; HttpOnly{life}"
            )
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say what was asked, without its query."""
        say(self.command, urlsplit(self.path).path)


def main() -> None:
    """Serve until the process is ended."""
    logging.basicConfig(stream=sys.stdout, level=logging.INFO)
    with tempfile.TemporaryDirectory() as folder:
        Handler.provider = made(folder)
        server = ThreadingHTTPServer(("127.0.0.1", GIVEN["port"]), Handler)
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(GIVEN["certificate"], GIVEN["key"])
        server.socket = tls.wrap_socket(server.socket, server_side=True)
        say("listening")
        server.serve_forever()


if __name__ == "__main__":
    main()

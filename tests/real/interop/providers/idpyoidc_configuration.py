"""What idpyoidc is told, as the provider of idpyoidc_provider.py: keys, scopes, endpoints, people, one client.

It gives refresh tokens without ``offline_access``, which it takes with ``prompt=consent`` alone, and wants an
``id_token_hint`` wherever somebody wants to come back from signing out. Its pages are plain forms without scripts.
"""

import json
import sys
from typing import Any, Final

from idpyoidc.server import Server
from idpyoidc.server.configure import OPConfiguration
from idpyoidc.server.token.jwt_token import JWTToken
from idpyoidc.server.user_authn.user import UserAuthnMethod, create_signed_jwt

GIVEN: Final = json.loads(sys.argv[1])
API: Final = "https://api.example"
PASSWORD: Final = "urn:interop:password"
PEOPLE: Final = {
    "ada@example.com": ("Analytical-Engine-1843", "Ada Lovelace"),
    "grace@example.com": ("Compiler-A0-1952", "Grace Hopper"),
}
ALGORITHM: Final = GIVEN["algorithm"]
KEY: Final = {"type": "RSA", "size": 2048} if ALGORITHM == "RS256" else {"type": "EC", "crv": "P-256"}
SCOPES: Final = ["openid", "profile", *GIVEN["scopes"], "profile.read", "profile.edit"]
ENDPOINTS: Final[dict[str, tuple[str, str, dict[str, Any]]]] = {
    "provider_config": (".well-known/openid-configuration", "oidc.provider_config.ProviderConfiguration", {}),
    "authorization": (
        "authorization",
        "oidc.authorization.Authorization",
        {
            "response_types_supported": ["code"],
            "response_modes_supported": ["query", "form_post"],
            "claims_parameter_supported": True,
        },
    ),
    "token": ("token", "oidc.token.Token", {"client_authn_method": ["client_secret_post"]}),
    "userinfo": ("userinfo", "oidc.userinfo.UserInfo", {}),
    "session": (
        "session",
        "oidc.session.Session",
        {
            "logout_verify_url": f"{GIVEN['issuer']}/verify_logout",
            "post_logout_uri_path": "signed_out",
            "signing_alg": ALGORITHM,
            "backchannel_logout_supported": True,
            "backchannel_logout_session_supported": True,
        },
    ),
}


class PasswordForm(UserAuthnMethod):  # type: ignore[misc] # idpyoidc ships no types
    """Asks for e-mail and password on a form like the local tenant's."""

    def __call__(self, authn_class_ref: str, query: str, **_: Any) -> str:
        """Return the page."""
        keys = self.upstream_get("attribute", "keyjar")
        ticket = create_signed_jwt(
            GIVEN["issuer"], keys, sign_alg=ALGORITHM, query=query, authn_class_ref=authn_class_ref
        )
        return form("/verify", email="", password="", ticket=ticket)

    def verify(self, **typed: str) -> str:
        """Return who typed this; nothing for a wrong password."""
        password, _ = PEOPLE.get(typed["email"], ("", ""))
        return typed["email"] if password and password == typed["password"] else ""


class TokenForTheApi(JWTToken):  # type: ignore[misc] # the same
    """An access token whose audience is the API, and not whoever asked for it."""

    def load_custom_claims(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Return the claims."""
        return {**payload, "aud": [API]}


def form(action: str, **inputs: str) -> str:
    """Return a page with one form."""
    fields = "".join(f'<input name="{name}" value="{value}">' for name, value in inputs.items())
    button = '<button type="submit">Go on</button>'
    return (
        f'<!doctype html><title>A page</title><form method="post" action="{action}">{fields}{button}</form>'
    )


def configuration(folder: str) -> dict[str, Any]:
    """Return what idpyoidc is told; ``folder`` is for the keys that it makes."""
    encryption = {
        "kwargs": {
            "keys": {
                "key_defs": [{"type": "OCT", "use": ["enc"], "kid": name} for name in ("password", "salt")]
            }
        }
    }
    cookie_keys = [{"type": "OCT", "use": [use], "kid": use} for use in ("enc", "sig")]
    seconds = GIVEN["access_token_seconds"]
    return {
        "issuer": GIVEN["issuer"],
        "httpc_params": {"timeout": 30},
        "key_conf": {"key_defs": [{**KEY, "use": ["sig"]}], "uri_path": "jwks"},
        "preference": {
            "id_token_signing_alg_values_supported": [ALGORITHM],
            "subject_types_supported": ["public"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "scopes_supported": SCOPES,
        },
        "scopes_supported": SCOPES,
        "scopes_to_claims": {
            **{name: [] for name in SCOPES},
            "openid": ["sub"],
            "profile": ["name", "preferred_username"],
        },
        "endpoint": {
            name: {
                "path": path,
                "class": f"idpyoidc.server.{kind}",
                "kwargs": {"client_authn_method": None, **more},
            }
            for name, (path, kind, more) in ENDPOINTS.items()
        },
        "authentication": {"form": {"acr": PASSWORD, "class": PasswordForm, "kwargs": {}}},
        "userinfo": {
            "class": "idpyoidc.server.user_info.UserInfo",
            "kwargs": {
                "db": {who: {"name": name, "preferred_username": who} for who, (_, name) in PEOPLE.items()}
            },
        },
        "authz": {
            "class": "idpyoidc.server.authz.AuthzHandling",
            "kwargs": {
                "grant_config": {
                    "usage_rules": {
                        "authorization_code": {
                            "supports_minting": ["access_token", "refresh_token", "id_token"],
                            "max_usage": 1,
                        },
                        "access_token": {"expires_in": seconds},
                        "refresh_token": {"supports_minting": ["access_token", "refresh_token", "id_token"]},
                    },
                    "expires_in": 43200,
                }
            },
        },
        "token_handler_args": {
            "jwks_def": {
                "private_path": f"{folder}/tokens.json",
                "read_only": False,
                "key_defs": [{"type": "oct", "bytes": "24", "use": ["enc"], "kid": "code"}],
            },
            "code": {"lifetime": 600},
            "token": {
                "class": f"{__name__}.TokenForTheApi",
                "kwargs": {"lifetime": seconds, "alg": ALGORITHM},
            },
            "refresh": {
                "class": "idpyoidc.server.token.jwt_token.JWTToken",
                "kwargs": {"lifetime": 3600, "alg": ALGORITHM},
            },
            "id_token": {
                "class": "idpyoidc.server.token.id_token.IDToken",
                "kwargs": {"add_claims_by_scope": True},
            },
        },
        "cookie_handler": {
            "class": "idpyoidc.server.cookie_handler.CookieHandler",
            "kwargs": {
                "keys": {"key_defs": cookie_keys},
                "name": {"session": "oidc_op", "register": "oidc_op_rp", "session_management": "sman"},
            },
        },
        "session_params": {"encrypter": encryption},
        "add_on": {
            "pkce": {
                "function": "idpyoidc.server.oauth2.add_on.pkce.add_support",
                "kwargs": {"essential": True, "code_challenge_method": "S256"},
            }
        },
    }


def made(folder: str) -> Server:
    """Return the provider, with the gateway as its one client."""
    server = Server(OPConfiguration(configuration(folder), base_path=folder), cwd=folder)
    server.context.cdb[GIVEN["client_id"]] = {
        "client_id": GIVEN["client_id"],
        "client_secret": GIVEN["client_secret"],
        "client_salt": "a salt",
        "redirect_uris": [(GIVEN["redirect_uri"], {})],
        "post_logout_redirect_uri": (GIVEN["post_logout_redirect_uri"], ""),
        "response_types": ["code"],
        "response_types_supported": ["code"],
        "token_endpoint_auth_method": "client_secret_post",
        "id_token_signed_response_alg": ALGORITHM,
        "allowed_scopes": SCOPES,
        "backchannel_logout_uri": GIVEN["backchannel_logout_uri"],
    }
    # With these ways of not proving oneself the end of a session asks for a token that nobody has.
    for name in ("none", "public"):
        del server.context.client_authn_methods[name]
    server.keyjar.add_symmetric(GIVEN["client_id"], GIVEN["client_secret"])
    return server

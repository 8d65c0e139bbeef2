"""axmp-oidc-bff-provider as its README puts it into an application: one call, sessions in Redis, its proxy on."""

import os

from axmp_oidc_bff_provider import BFFConfig, install_bff
from axmp_oidc_bff_provider.providers import OIDCProviderConfig
from fastapi import FastAPI

app = FastAPI()
install_bff(
    app,
    BFFConfig(
        default_provider="op",
        providers={
            "op": OIDCProviderConfig(
                server_metadata_url=f"{os.environ['ISSUER']}/.well-known/openid-configuration",
                client_id=os.environ["CLIENT_ID"],
                client_secret=os.environ["CLIENT_SECRET"],
                scope=os.environ["SCOPES"],
            )
        },
        app_base_url=os.environ["BASE_URL"],
        frontend_url=f"{os.environ['BASE_URL']}/oauth2/userinfo",
        frontend_origins=[os.environ["BASE_URL"]],
        cors_enabled=False,
        session_secret_key=os.environ["SIGNING_KEY"],
        redis_url=os.environ["REDIS_URL"],
        upstream_api_url=os.environ["UPSTREAM"],
    ),
)

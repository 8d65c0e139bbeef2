"""Composition: the tenant, its routes and middlewares. Knows everyone, decides nothing."""

import random
import time

from aiohttp import web

from local_tenant import admin as admin_surface
from local_tenant import (
    admin_door,
    admin_people,
    authority,
    discovery,
    front_page,
    grants,
    graph,
    graph_other,
    logout,
    sign_in,
)
from local_tenant.clock import Clock, OffsetClock
from local_tenant.configuration import Configuration
from local_tenant.ids import Ids
from local_tenant.known_hosts import known_hosts_middleware
from local_tenant.middlewares import date_of_the_tenant, faults_middleware, refusals_middleware
from local_tenant.signing import KeyRing
from local_tenant.tenant import ADMIN, TENANT, Tenant


def create_app(
    configuration: Configuration,
    *,
    public_url: str,
    admin: bool = True,
    clock: Clock = time.time,
    randomness: random.Random | None = None,
    keys: KeyRing | None = None,
) -> web.Application:
    """Return the tenant as an application. ``public_url`` is where the browser finds it."""
    app = web.Application(middlewares=[refusals_middleware, faults_middleware, known_hosts_middleware])
    app[TENANT] = Tenant(
        configuration=configuration,
        public_url=public_url,
        clock=OffsetClock(clock),
        ids=Ids(randomness or random.SystemRandom()),
        keys=keys or KeyRing(),
    )
    app[ADMIN] = admin
    app.on_response_prepare.append(date_of_the_tenant)
    for part in (front_page, discovery, authority, sign_in, logout, grants, graph, graph_other):
        app.add_routes(part.routes)
    app.router.add_static("/assets", front_page.ASSETS)
    if admin:
        app.add_routes([*admin_surface.routes, *admin_people.routes])
        app.middlewares.append(admin_door.admin_middleware)
        app.cleanup_ctx.append(admin_people.frontchannel_client)
    return app

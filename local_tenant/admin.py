"""The admin surface: what a test or a curious person may set and see.

A thin layer: reads JSON, sets a value elsewhere, answers JSON; who may come in is ``admin_door``'s. Off with
``LOCAL_TENANT_ADMIN=0``: the paths are unknown then. Everything is documented in docs/reference/local-tenant.md.
"""

import json
import re
from typing import Final, Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from local_tenant.admin_door import AdminError, body_of, json_answer, members_of, valid
from local_tenant.app_registration import AppRegistration
from local_tenant.directory import GRAPH
from local_tenant.faults import POINTS, Fault
from local_tenant.forgery import Order, Variant
from local_tenant.knobs import Knobs
from local_tenant.policies import ConditionalAccessPolicy
from local_tenant.tenant import TENANT, Tenant

routes = web.RouteTableDef()

_CONTEXT: Final = re.compile(r"c[0-9]{1,2}")


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class PolicyBody(_Body):
    """``PUT /admin/policies/{target}``."""

    mfa: bool | Literal["blocked"] = False
    claims: bool = True


class RotateBody(_Body):
    """``POST /admin/keys/rotate``."""

    retire_old: bool = False


class IdTokenBody(_Body):
    """``PUT /admin/id-token``."""

    variant: Variant
    times: int = Field(default=1, ge=1)


class NextSignInBody(_Body):
    """``PUT /admin/next-sign-in``."""

    email: str = Field(alias="as")
    times: int = Field(default=1, ge=1, le=100)


@routes.get("/admin/faults")
async def list_faults(request: web.Request) -> web.Response:
    """Return the faults that are set."""
    standing = request.app[TENANT].faults.standing
    return json_answer({point: fault.model_dump() for point, fault in standing.items()})


@routes.put("/admin/faults/{point}")
async def set_fault(request: web.Request) -> web.Response:
    """Make a point go wrong."""
    point = request.match_info["point"]
    if point not in POINTS:
        raise AdminError(404, f"There is no point {point}; there are {', '.join(POINTS)}.")
    fault = await body_of(request, Fault)
    if sentence := fault.misplaced_at(point):
        raise AdminError(400, sentence)
    request.app[TENANT].faults.standing[point] = fault
    return json_answer({point: fault.model_dump()})


@routes.delete("/admin/faults")
@routes.delete("/admin/faults/{point}")
async def clear_faults(request: web.Request) -> web.Response:
    """Make all points, or one, work again."""
    standing = request.app[TENANT].faults.standing
    if point := request.match_info.get("point"):
        standing.pop(point, None)
    else:
        standing.clear()
    return web.Response(status=204)


@routes.put("/admin/policies/{target}")
async def set_policy(request: web.Request) -> web.Response:
    """Set the policy of a resource application or of an authentication context."""
    tenant, target = request.app[TENANT], request.match_info["target"]
    app = tenant.directory.registered(target)
    target = app.client_id if app else target
    if target != GRAPH and app is None and not _CONTEXT.fullmatch(target):
        raise AdminError(404, f"There is no application {target}, and a context is named such as c1.")
    body = await body_of(request, PolicyBody)
    previous = tenant.policies.by_target.get(target.casefold())
    policy = ConditionalAccessPolicy(
        id=previous.id if previous else tenant.ids.guid(),
        target=target,
        mfa=body.mfa is True,
        blocked=body.mfa == "blocked",
        claims=body.claims,
    )
    tenant.policies.by_target[target.casefold()] = policy
    return json_answer(policy.model_dump())


@routes.put("/admin/apps/{client_id}")
async def change_app(request: web.Request) -> web.Response:
    """Change members of an app registration: consent, secrets, certificates, token version, addresses."""
    tenant, client_id = request.app[TENANT], request.match_info["client_id"]
    app = tenant.directory.registered(client_id)
    if app is None:
        raise AdminError(404, f"There is no application {client_id}.")
    changes = await members_of(request)
    merged = {**app.model_dump(mode="json"), **changes, "client_id": app.client_id}
    tenant.directory.register(valid(AppRegistration, json.dumps(merged)))
    return json_answer({"changed": sorted(changes)})


@routes.get("/admin/settings")
async def show_settings(request: web.Request) -> web.Response:
    """Return the knobs."""
    return json_answer(request.app[TENANT].knobs.model_dump(mode="json"))


@routes.put("/admin/settings")
async def change_settings(request: web.Request) -> web.Response:
    """Turn some knobs; the others stay."""
    tenant = request.app[TENANT]
    merged = {**tenant.knobs.model_dump(mode="json"), **await members_of(request)}
    tenant.turn(valid(Knobs, json.dumps(merged)))
    return json_answer(tenant.knobs.model_dump(mode="json"))


@routes.post("/admin/keys/{action}")
async def keys(request: web.Request) -> web.Response:
    """Roll the keys: ``rotate``, ``publish-next`` or ``sign-with-unpublished``."""
    ring, action = request.app[TENANT].keys, request.match_info["action"]
    if action == "rotate":
        ring.rotate(retire_old=(await body_of(request, RotateBody)).retire_old)
    elif action == "publish-next":
        ring.publish_next()
    elif action == "sign-with-unpublished":
        ring.sign_with_unpublished()
    else:
        raise AdminError(404, "There are rotate, publish-next and sign-with-unpublished.")
    return json_answer({"signing": ring.signing.kid, "published": [key.kid for key in ring.published]})


@routes.put("/admin/id-token")
async def forge_id_tokens(request: web.Request) -> web.Response:
    """Forge the ID tokens of the next codes."""
    body = await body_of(request, IdTokenBody)
    request.app[TENANT].forgery = Order(body.variant, body.times)
    return json_answer(body.model_dump())


@routes.put("/admin/next-sign-in")
async def answer_as_another(request: web.Request) -> web.Response:
    """Issue the next codes for another person than the one who signs in."""
    tenant, body = request.app[TENANT], await body_of(request, NextSignInBody)
    if tenant.directory.find(body.email) is None:
        raise AdminError(404, f"There is no person {body.email}.")
    tenant.impostors = [body.email] * body.times
    return json_answer({"as": body.email, "times": body.times})


@routes.get("/admin/requests")
async def requests(request: web.Request) -> web.Response:
    """Return what was asked of the tenant, newest last, secrets cut."""
    point = request.query.get("point")
    if point is not None and point not in POINTS:
        raise AdminError(404, f"There is no point {point}; there are {', '.join(POINTS)}.")
    return json_answer([entry.as_json() for entry in request.app[TENANT].journal.of(point)])


@routes.delete("/admin/requests")
async def forget_requests(request: web.Request) -> web.Response:
    """Start the journal anew."""
    request.app[TENANT].journal.entries.clear()
    return web.Response(status=204)


@routes.post("/admin/reset")
async def reset(request: web.Request) -> web.Response:
    """Make everything as it was at start; only the keys stay."""
    tenant: Tenant = request.app[TENANT]
    tenant.reset()
    return web.Response(status=204)

"""The API in front of the local tenant, for each test anew; keys are made once."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import pytest

from local_tenant.signing import SigningKey
from tests.stage.tenant import claims_of
from tests.unit.resource_api.graph_double import GraphDouble, graph_double
from tests.unit.resource_api.stage import QUICK, Stage, running_api


@pytest.fixture
async def stage(signing_keys: Callable[[], SigningKey]) -> AsyncIterator[Stage]:
    """Run the API as it is configured in local work, with little patience."""
    async with running_api(signing_keys) as stage:
        yield stage


@pytest.fixture
async def double() -> AsyncIterator[GraphDouble]:
    """Run a Graph that does what a test tells it."""
    async with graph_double() as double:
        yield double


@pytest.fixture
async def stage_before_double(
    signing_keys: Callable[[], SigningKey], double: GraphDouble
) -> AsyncIterator[Stage]:
    """Run the API in front of that Graph, which has Ada's profile."""
    async with running_api(signing_keys, graph=double.url, patience=replace(QUICK, call=1.5)) as stage:
        double.profile |= {
            "id": claims_of(await stage.token())["oid"],
            "city": "London",
            "displayName": "Ada",
        }
        yield stage

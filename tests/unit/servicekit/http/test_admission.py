"""How many requests are worked on at once, and what the others are told (L1)."""

import asyncio

import aiohttp

from tests.unit.servicekit.http.crowd import LINE, MOST, Service, asking, serving


async def test_L1_while_places_and_line_are_taken_the_rest_is_refused_at_once_and_told_when_to_come_back(
    service: Service, client: aiohttp.ClientSession
) -> None:
    within = [asking(client, service) for _ in range(MOST + LINE)]
    await service.told.comes_to(in_work=MOST, waiting=LINE)

    for _ in range(40):
        async with aiohttp.ClientSession() as other, other.get(f"{service.url}/work") as answer:
            body = await answer.json(content_type="application/problem+json")
            assert (answer.status, body["type"]) == (503, "/problems/overloaded")
            assert 1 <= int(answer.headers["Retry-After"]) <= 5
    assert service.begun == MOST, "and nothing was begun for them"
    assert service.told.refused == 40
    service.go_on.set()

    assert await asyncio.gather(*within) == [200] * (MOST + LINE)
    await service.told.comes_to(in_work=0)
    assert service.told.most_in_work == MOST


async def test_L1_who_needs_no_place_is_never_refused(
    service: Service, client: aiohttp.ClientSession
) -> None:
    within = [asking(client, service) for _ in range(MOST + LINE)]
    await service.told.comes_to(in_work=MOST, waiting=LINE)
    looks = [asking(client, service, "/health") for _ in range(20)]
    service.go_on.set()

    assert set(await asyncio.gather(*looks, *within)) == {200}


async def test_L1_the_line_waits_no_longer_than_it_may(client: aiohttp.ClientSession) -> None:
    async with serving(0.05) as service:
        within = [asking(client, service) for _ in range(MOST)]
        await service.told.comes_to(in_work=MOST)

        assert await asking(client, service) == 503

        await service.told.comes_to(in_work=MOST)
        service.go_on.set()
        assert await asyncio.gather(*within) == [200] * MOST


async def test_L1_who_comes_back_too_soon_by_the_same_connection_waits_for_a_turn_and_gets_it(
    service: Service, client: aiohttp.ClientSession
) -> None:
    within = [asking(client, service) for _ in range(MOST + LINE)]
    await service.told.comes_to(in_work=MOST, waiting=LINE)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1)) as impatient:
        assert await asking(impatient, service) == 503

        again = asking(impatient, service)
        await service.told.comes_to(in_work=MOST, waiting=LINE + 1)
        service.go_on.set()

        assert await again == 200
    assert await asyncio.gather(*within) == [200] * (MOST + LINE)
    assert service.told.refused == 1

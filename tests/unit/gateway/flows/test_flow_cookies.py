"""The cookies of flows that are taken back from a browser: of our own form only, and a few at a time (A8)."""

import pytest

from gateway.flows.flow_record import FlowStore
from tests.unit.gateway.flows.test_flow_record import FLOW, a_cookie, flows, given, put

__all__ = ["flows"]


@pytest.mark.parametrize(
    "odd",
    [
        *(
            "",
            "/",
            "n" * 15,
            "n" * 17,
            "n" * 4_000,
            "n n" + "n" * 13,
            '"' * 16,
            "é" * 16,
            "\u0660" * 16,
            "=" * 16,
        ),
        *("n" * 15 + "\t", "n" * 15 + "\x01", "n" * 15 + ",", "n" * 15 + "\u2000", "n" * 16 + "\n"),
    ],
)
async def test_A8_a_flow_cookie_whose_name_is_not_of_our_form_is_never_taken_back(
    flows: FlowStore, odd: str
) -> None:
    begun = [
        (f"__Host-Http-flow-{odd}{number * ' '}", f"175000000{number}.{'s' * 43}") for number in range(7)
    ]

    response, _ = await put(flows, FLOW, *begun)

    assert given(response, dropped=True) == []


async def test_A8_of_many_flow_cookies_an_answer_takes_back_the_five_oldest(flows: FlowStore) -> None:
    many = [a_cookie(number, 1_750_000_000 + number) for number in range(100)]

    response, _ = await put(flows, FLOW, *reversed(many))

    assert {cookie.key for cookie in given(response, dropped=True)} == {name for name, _ in many[:5]}


async def test_A8_the_time_of_a_flow_cookie_is_written_in_ascii_digits(flows: FlowStore) -> None:
    odd = [(a_cookie(number, 0)[0], "\u0661" * 10 + f".{'s' * 43}") for number in range(7)]

    response, _ = await put(flows, FLOW, *odd)

    assert given(response, dropped=True) == []

"""What every answer says about its own handling (S53)."""

import enum
import json
import subprocess

import pytest
from aiohttp import web
from aiohttp.pytest_plugin import AiohttpClient

from gateway.edge.answer_headers import answer_headers, security_headers
from servicekit.http.answers import Answer
from servicekit.http.every_answer import AnswerHeaders
from tests.stage.npm_packages import TESTS

PUBLIC = "https://app.example"
SECURITY = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cache-Control": "no-store",
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
}
OF_EVERY_ANSWER = {"Content-Length", "Content-Type", "Date", "client-request-id"}


class Way(enum.Enum):
    """How an answer goes out."""

    BY_AIOHTTP = enum.auto()
    WHOLE = enum.auto()


@pytest.fixture(params=Way)
def way(request: pytest.FixtureRequest) -> Way:
    return Way(request.param)


async def answered_with(
    aiohttp_client: AiohttpClient, own: dict[str, str], public_url: str = PUBLIC, *, way: Way
) -> dict[str, str]:
    """Return the headers of an answer to which a handler gave these of its own."""
    every = AnswerHeaders(answer_headers(public_url))

    async def handler(_request: web.Request) -> web.Response:
        if way is Way.BY_AIOHTTP:
            return web.Response(headers=own)
        answer = Answer(headers=own)
        answer.every = every
        return answer

    app = web.Application()
    app.router.add_get("/", handler)
    app.on_response_prepare.append(every.on_prepare)
    answer = await (await aiohttp_client(app)).get("/")
    assert answer.headers.keys() >= {"Date", "client-request-id"}
    return {name: value for name, value in answer.headers.items() if name not in OF_EVERY_ANSWER}


async def test_S53_every_answer_says_how_it_is_to_be_handled_and_not_who_serves_it(
    aiohttp_client: AiohttpClient, way: Way
) -> None:
    assert await answered_with(aiohttp_client, {"Server": "somebody"}, way=way) == SECURITY


async def test_S53_the_routers_own_answers_say_it_too(aiohttp_client: AiohttpClient) -> None:
    app = web.Application()
    app.on_response_prepare.append(security_headers(PUBLIC))

    answer = await (await aiohttp_client(app)).get("/nowhere")

    assert answer.status == 404
    assert SECURITY.items() <= dict(answer.headers).items()
    assert "Server" not in answer.headers


@pytest.mark.parametrize(
    "public_url",
    ["http://localhost:3000", "http://app.example", "https://localhost:3000", "https://127.0.0.1"],
)
async def test_S53_without_tls_and_of_this_computer_nobody_is_told_to_insist_on_it(
    aiohttp_client: AiohttpClient, public_url: str, way: Way
) -> None:
    answer = await answered_with(aiohttp_client, {}, public_url, way=way)

    assert answer == {name: value for name, value in SECURITY.items() if name != "Strict-Transport-Security"}


async def test_S53_an_answer_may_say_more_about_itself(aiohttp_client: AiohttpClient, way: Way) -> None:
    own = {
        "Cache-Control": "max-age=60",
        "Referrer-Policy": "origin",
        "Strict-Transport-Security": "max-age=1",
    }

    assert await answered_with(aiohttp_client, own, way=way) == SECURITY | own


async def test_S53_a_page_with_a_policy_of_its_own_says_itself_who_may_frame_it(
    aiohttp_client: AiohttpClient, way: Way
) -> None:
    own = {"Content-Security-Policy": "frame-ancestors https://authority.example"}

    answer = await answered_with(aiohttp_client, own, way=way)

    without = {"X-Frame-Options", "Cross-Origin-Resource-Policy"}
    assert answer == {name: value for name, value in SECURITY.items() if name not in without} | own


JUDGE = """
import { CspEvaluator } from 'csp_evaluator/dist/evaluator.js';
import { CspParser } from 'csp_evaluator/dist/parser.js';
const findings = new CspEvaluator(new CspParser(process.argv[1]).csp).evaluate();
console.log(JSON.stringify(findings.map(({ severity, directive }) => [severity, directive])));
"""
MEDIUM_MAYBE = 50
"""The evaluator's severities are numbers, and the lower one is the worse."""


def findings(node: str, policy: str) -> list[tuple[int, str]]:
    """Return what Google's evaluator has against a policy: severity and directive."""
    done = subprocess.run(
        [node, "--input-type=module", "--eval", JUDGE, policy],
        cwd=TESTS,
        capture_output=True,
        text=True,
        check=True,
    )
    return [(severity, directive) for severity, directive in json.loads(done.stdout)]


def test_S53_the_policy_stands_before_googles_evaluator(node: str) -> None:
    policy = SECURITY["Content-Security-Policy"]

    assert findings(node, policy) == [(MEDIUM_MAYBE, "script-src")], "'self', where others may upload scripts"
    worse = policy.replace("script-src 'self'", "script-src 'unsafe-inline' *")
    assert min(findings(node, worse))[0] < MEDIUM_MAYBE, "it sees what is wrong"

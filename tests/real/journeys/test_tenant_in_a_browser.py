"""The pages in a real browser: what only scripts, focus, cookies of two sites and small screens show."""

import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

import pytest
from playwright.async_api import Page, expect

from tests.real.processes.test_tenant_process import settings_of_ours
from tests.stage.browser import NewContext, PageFaults
from tests.stage.tenant import EDIT_SCOPE, GATEWAY, TENANT_ID
from tests.stage.visitor import PASSWORDS


class Application(ThreadingHTTPServer):
    """Is where the application would be, on another site than the tenant, and notes what reaches it."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str, str | None, dict[str, str]]] = []
        super().__init__(("127.0.0.1", 0), _Answers)
        self.url = f"http://localhost:{self.server_port}"
        self.callback = f"{self.url}/auth/callback"


class _Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Application)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        if self.path != "/favicon.ico":
            url = f"{self.server.url}{self.path}"
            self.server.heard.append((self.command, url, self.headers.get("Origin"), dict(parse_qsl(body))))
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<h1>the application</h1>")

    do_POST = do_GET  # noqa: N815 - http.server's own name

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def listening() -> Iterator[Application]:
    with Application() as application:
        threading.Thread(target=application.serve_forever).start()
        yield application
        application.shutdown()


@pytest.fixture
def application(listening: Application) -> Application:
    listening.heard.clear()
    return listening


@pytest.fixture(scope="module")
def tenant_url(listening: Application) -> Iterator[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "local_tenant"],
        cwd=Path(__file__).parents[3],
        env=settings_of_ours(PORT="0", GATEWAY_URL=listening.url),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    yield process.stdout.readline().split()[2]
    process.terminate()
    process.wait(10)
    process.stdout.close()


def authorize(tenant_url: str, application: Application, **more: str) -> str:
    fields = {
        "client_id": GATEWAY,
        "response_type": "code",
        "redirect_uri": application.callback,
        "scope": EDIT_SCOPE,
        "state": "a state",
        "response_mode": "form_post",
        **more,
    }
    return f"{tenant_url}/{TENANT_ID}/oauth2/v2.0/authorize?{urlencode(fields)}"


async def sign_in(page: Page, email: str) -> None:
    await page.fill("[name=email]", email)
    await page.fill("[name=password]", PASSWORDS[email])
    await page.click("button")


async def newest_code(page: Page, tenant_url: str, email: str) -> str:
    answer = await page.request.get(
        f"{tenant_url}/inbox", params={"to": email}, headers={"Accept": "application/json"}
    )
    return str((await answer.json())[0]["code"])


async def test_the_answer_posts_itself_to_the_application_and_names_its_origin(
    page: Page, application: Application, tenant_url: str
) -> None:
    await page.goto(authorize(tenant_url, application))
    await sign_in(page, "ada@example.com")
    await page.fill("[name=code]", await newest_code(page, tenant_url, "ada@example.com"))
    await page.click("button")
    await page.wait_for_url(application.callback)
    method, _, origin, body = application.heard[-1]
    assert (method, origin, body["state"]) == ("POST", tenant_url, "a state")
    assert body["code"]

    # The session is remembered on the way back, and sign-out tells the application in a frame before going on.
    # The pages go on by themselves, perhaps before they are loaded.
    await page.goto(authorize(tenant_url, application, prompt="none"), wait_until="commit")
    await page.wait_for_url(application.callback)
    session_state = application.heard[-1][3]["session_state"]
    home = urlencode({"post_logout_redirect_uri": f"{application.url}/"})
    await page.goto(f"{tenant_url}/{TENANT_ID}/oauth2/v2.0/logout?{home}", wait_until="commit")
    await page.wait_for_url(f"{application.url}/")
    frame = f"{application.url}/auth/frontchannel-logout?sid={session_state}"
    assert [url for _, url, _, _ in application.heard[-2:]] == [frame, f"{application.url}/"]


async def test_query_mode_comes_back_after_a_form(
    page: Page, application: Application, tenant_url: str
) -> None:
    await page.goto(authorize(tenant_url, application, response_mode="query", scope="openid User.Read"))
    await sign_in(page, "grace@example.com")
    await page.wait_for_url(f"{application.callback}?**")
    assert "code=" in application.heard[-1][1]


async def test_everything_can_be_done_by_keyboard(
    page: Page, application: Application, tenant_url: str
) -> None:
    await page.goto(authorize(tenant_url, application, prompt="login"))
    # The page takes the focus there itself, a moment after it has loaded.
    await expect(page.locator("[name=email]")).to_be_focused()
    await page.keyboard.type("grace@example.com")
    await page.keyboard.press("Tab")
    await page.keyboard.type(PASSWORDS["grace@example.com"])
    await page.keyboard.press("Enter")
    await expect(page.locator("[name=code]")).to_be_focused()
    for focused in ("Confirm", "Send a new code", "Cancel"):
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.textContent") == focused
        outline = "getComputedStyle(document.activeElement).outlineWidth"
        assert await page.evaluate(outline) == "3px", f"{focused} shows its focus"
    for _ in range(3):
        await page.keyboard.press("Shift+Tab")
    await page.keyboard.type(await newest_code(page, tenant_url, "grace@example.com"))
    await page.keyboard.press("Enter")
    await page.wait_for_url(application.callback)
    assert application.heard[-1][3]["code"]


async def test_without_script_the_answer_has_a_button(
    new_context: NewContext, application: Application, tenant_url: str
) -> None:
    context = await new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(authorize(tenant_url, application, scope="openid User.Read"))
    await sign_in(page, "ada@example.com")
    await expect(page.get_by_text("Continue")).to_be_visible()
    assert application.heard == []
    await page.click("text=Continue")
    await page.wait_for_url(application.callback)
    assert application.heard[-1][3]["code"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_U14_pages_fit_a_narrow_screen_and_focus_is_where_typing_goes_on(
    new_context: NewContext,
    page_faults: PageFaults,
    application: Application,
    tenant_url: str,
    scheme: str,
) -> None:
    page_faults.expect("400 \\(Bad Request\\)")  # a form with a fault in it
    context = await new_context(viewport={"width": 320, "height": 640}, color_scheme=scheme)
    page = await context.new_page()

    async def looks_right(heading: str, focused: str) -> None:
        await expect(page.get_by_role("heading", level=1)).to_have_text(heading)
        if focused:
            await expect(page.locator(f"[name={focused}]")).to_be_focused()
        else:
            assert await page.evaluate("document.activeElement.name ?? ''") == ""
        assert await page.evaluate("document.documentElement.scrollWidth") == 320

    await page.goto(authorize(tenant_url, application))
    await looks_right("Sign in", "email")
    await page.click("text=Create an account")
    await looks_right("Create an account", "email")
    await page.click("text=I have an account")
    await looks_right("Sign in", "email")
    await page.fill("[name=email]", "ada@example.com")
    await page.fill("[name=password]", "wrong")
    await page.click("button")
    await expect(page).to_have_title(re.compile("^Error: Sign in"))
    await expect(page.get_by_role("alert")).to_contain_text("AADSTS50126")
    await looks_right("Sign in", "password")
    await page.fill("[name=password]", PASSWORDS["ada@example.com"])
    await page.click("button")
    await looks_right("Confirm it\u2019s you", "code")
    assert await page.get_attribute("[name=code]", "autocomplete") == "one-time-code"
    await page.goto(authorize(tenant_url, application, redirect_uri="https://evil.example/"))
    await looks_right("This can\u2019t go on", "")
    await page.goto(f"{tenant_url}/inbox")
    await looks_right("Inbox", "")

"""How soon a visitor sees the client: cold and warm, on slow networks, with and without HTTP/2 in front.

A Chromium with an empty cache opens the first page as a stranger, is closed, and opens it again with what it kept; then
somebody who is signed in does the same. Prints for each network: when something was painted first, when the first
screen stood there, how much of the page moved (layout shift), and how many files and bytes came over the network.
The network is Chromium's own emulation (DevTools): its latency is that of each request, and connecting costs none.

    python -m benchmarks.bench_first_view [--times 5] [--http2]

`--http2` puts an nginx in front that speaks HTTP/2 over TLS; by itself a gateway speaks HTTP/1.1.
"""

import argparse
import asyncio
import base64
import datetime as dt
import hashlib
import os
import shutil
import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen
from tempfile import TemporaryDirectory
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from playwright.async_api import BrowserContext, Playwright, async_playwright

from benchmarks.running import product
from devstack.browser_install import system_chromium
from devstack.https_certificate import load_or_make
from devstack.stack import Stack
from tests.real.journeys.person import Person
from tests.stage.browser import ARGUMENTS
from tests.stage.ports import free_port


@dataclass(frozen=True, slots=True)
class Network:
    """A network: milliseconds of each request, and bytes a second; 0 for as fast as it goes."""

    name: str
    latency: float
    rate: int


NETWORKS: Final = (
    Network("as it is", 0, 0),
    # Lighthouse's "slow 4G" as its simulation reckons: round trips of 150 ms, 1.6 Mbit/s.
    Network("slow 4G, 150 ms", 150, 1_638_400 // 8),
    Network("400 ms, 400 kB/s", 400, 400_000),
    # Lighthouse's "slow 4G" as DevTools applies it: 3.75 round trips for each request, 0.9 of the rate.
    Network("slow 4G, 562 ms", 562.5, 1_474_560 // 8),
)

_WATCH: Final = """() => {
    globalThis.seen = {shown: 0, shift: 0};
    new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) globalThis.seen.shift += entry.value;
    }).observe({type: 'layout-shift', buffered: true});
    const look = () => {
        if (!document.querySelector('main[data-screen]:not([aria-busy])')) return;
        watcher.disconnect();
        globalThis.seen.shown = performance.now();
    };
    const watcher = new MutationObserver(look);
    watcher.observe(document, {subtree: true, childList: true, attributes: true});
}"""
_READ: Final = """() => {
    const [page] = performance.getEntriesByType('navigation');
    const came = [page, ...performance.getEntriesByType('resource')].filter((one) => one.transferSize > 0);
    const paint = performance.getEntriesByName('first-contentful-paint')[0];
    const early = came.filter((one) => one.startTime <= globalThis.seen.shown);
    return {
        painted: paint?.startTime ?? 0,
        shown: globalThis.seen.shown,
        shift: globalThis.seen.shift,
        files: early.filter((one) => !one.name.includes('/api/')).length,
        all: came.filter((one) => !one.name.includes('/api/')).length,
        bytes: early.reduce((sum, one) => sum + one.transferSize, 0),
    };
}"""
_FIGURES: Final = ("painted", "shown", "shift", "files", "all", "bytes")
_NGINX: Final = """
daemon off; pid {folder}/pid; error_log {folder}/log; worker_processes 1;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
    uwsgi_temp_path {folder}; scgi_temp_path {folder};
    upstream gateway {{ server 127.0.0.1:{gateway}; keepalive 64; }}
    server {{
        listen 127.0.0.1:{port} ssl http2;
        ssl_certificate {pem}; ssl_certificate_key {pem};
        location / {{
            proxy_pass http://gateway; proxy_http_version 1.1;
            proxy_set_header Connection ""; proxy_set_header Host $http_host;
        }}
    }}
}}
"""


async def view_of(context: BrowserContext, address: str, network: Network) -> dict[str, float]:
    """Open an address in a new tab; return what was seen and when, in milliseconds."""
    page = await context.new_page()
    await page.add_init_script(f"({_WATCH})()")
    wire = await context.new_cdp_session(page)
    await wire.send("Network.enable")
    if network.latency:
        rates = {"downloadThroughput": network.rate, "uploadThroughput": network.rate}
        await wire.send(
            "Network.emulateNetworkConditions", {"offline": False, "latency": network.latency, **rates}
        )
    await page.goto(address, wait_until="commit")
    await page.wait_for_function("() => globalThis.seen.shown > 0", polling=50, timeout=60_000)
    # What the client fetches ahead, for the next views.
    await page.wait_for_load_state("networkidle")
    figures: dict[str, float] = await page.evaluate(_READ)
    await page.close()
    return figures


async def measure(playwright: Playwright, stack: Stack, address: str, times: int, trusted: str) -> None:
    """Print a line for each network and each kind of visit; `trusted` is the certificate's key, if there is one."""
    for who in ("stranger", "signed in"):
        cookies = await _cookies(playwright, stack) if who == "signed in" else []
        for network in NETWORKS:
            visits: dict[str, list[dict[str, float]]] = {"cold": [], "warm": []}
            for _ in range(times):
                with TemporaryDirectory() as profile:
                    # A browser that was closed and opened again: nothing but its cache is left.
                    for seen in visits.values():
                        context = await _opened(playwright, profile, trusted)
                        await context.add_cookies(cookies)
                        seen.append(await view_of(context, address, network))
                        await context.close()
            for visit, seen in visits.items():
                figures = {name: statistics.median(one[name] for one in seen) for name in _FIGURES}
                print(
                    f"{who:9} {network.name:17} {visit}  first paint {figures['painted']:5.0f} ms"
                    f"  first screen {figures['shown']:5.0f} ms  shift {figures['shift']:.3f}"
                    f"  files until then {figures['files']:3.0f}, in all {figures['all']:3.0f}"
                    f"  {figures['bytes'] / 1000:5.1f} kB",
                    flush=True,
                )


async def _cookies(playwright: Playwright, stack: Stack) -> Any:
    """Return what a browser holds in which somebody signed in."""
    with TemporaryDirectory() as profile:
        context = await _opened(playwright, profile, "")
        await Person(await context.new_page(), stack).has_signed_in()
        cookies = await context.cookies(stack.gateway_url)
        await context.close()
    return [{name: value for name, value in one.items() if name != "expires"} for one in cookies]


async def _opened(playwright: Playwright, profile: str, trusted: str) -> BrowserContext:
    trusting = [f"--ignore-certificate-errors-spki-list={trusted}"] if trusted else []
    return await playwright.chromium.launch_persistent_context(
        profile,
        executable_path=system_chromium(os.environ),
        args=[*ARGUMENTS, "--no-sandbox", *trusting],
    )


@contextmanager
def _http2(gateway_url: str) -> Iterator[tuple[str, str]]:
    """Run an nginx in front; give its address, and the digest of its certificate's key."""
    with TemporaryDirectory() as folder:
        port, place = free_port(), Path(folder)
        pem = load_or_make(place / "localhost.pem", dt.datetime.now(dt.UTC))
        settings = place / "nginx.conf"
        gateway = gateway_url.rsplit(":", 1)[1]
        settings.write_text(_NGINX.format(folder=folder, gateway=gateway, port=port, pem=pem), "utf-8")
        front = Popen([shutil.which("nginx") or "nginx", "-c", str(settings)])  # noqa: S603 - with options of ours
        try:
            yield f"https://localhost:{port}", _digest_of_key(pem)
        finally:
            front.terminate()
            front.wait()


def _digest_of_key(pem: Path) -> str:
    key = x509.load_pem_x509_certificate(pem.read_bytes()).public_key()
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(der).digest()).decode()


async def main() -> None:
    """Measure, and print a line for each kind of visit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--http2", action="store_true")
    options = parser.parse_args()
    with product() as stack:
        async with async_playwright() as playwright:
            if not options.http2:
                await measure(playwright, stack, stack.gateway_url, options.times, "")
                return
            with _http2(stack.gateway_url) as (address, trusted):
                await measure(playwright, stack, address, options.times, trusted)


if __name__ == "__main__":
    asyncio.run(main())

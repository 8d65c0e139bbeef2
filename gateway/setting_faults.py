"""What is wrong between the gateway's settings, and what local work may have and nobody else.

Owns these sentences; what one setting must be like by itself is `setting_forms`' business, and what both services have
in common is `servicekit.authority_faults`'. Judges texts as they were given, right by themselves or not, so that no
fault hides another.
Never shows a secret.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from gateway.edge.sites import is_same_site
from gateway.store.redis.address import RedisAddress
from servicekit.guessable_secrets import guessable_password
from servicekit.setting_forms import is_on_loopback
from servicekit.setting_sentences import shown
from servicekit.web_address import read_web_address

_LARGEST_PASSWORD: Final = 65_536


def faults_of_the_gateway(texts: Mapping[str, str], defaults: Mapping[str, str]) -> Iterator[str]:
    """Yield a sentence for each fault; `texts` are by field name as they were set, `defaults` what stands otherwise."""
    effective = {**defaults, **texts}
    if not is_on_loopback(effective["public_url"]):
        yield from _faults_of_local_work(texts)
        yield from _faults_of_redis_passwords(texts)
    if "csp_additions" in texts and "front_end" not in texts:
        yield (
            "GATEWAY_CSP_ADDITIONS is set, and GATEWAY_FRONT_END is not: our own client needs no additions. Set both, "
            "or neither."
        )
    yield from _faults_of_origins(effective)
    yield from _faults_of_scopes(effective)
    yield from _faults_of_numbers(effective)
    if "redis_password_file" in texts and _passwords_in(texts.get("redis_url", "")):
        yield (
            "GATEWAY_REDIS_PASSWORD_FILE is set, and GATEWAY_REDIS_URL holds a password too. Keep one of them."
        )


def _faults_of_local_work(texts: Mapping[str, str]) -> Iterator[str]:
    if texts.get("authority_map"):
        yield (
            "GATEWAY_AUTHORITY_MAP is for local work only, and GATEWAY_PUBLIC_URL is not on localhost. "
            "Remove the map."
        )
    for name in ("authority", "authority_issuer"):
        text = texts.get(name, "")
        if text.lower().startswith("http:") and is_on_loopback(text):
            yield (
                f"GATEWAY_{name.upper()} is {shown(text)}, an authority on this machine, and GATEWAY_PUBLIC_URL "
                "is not on localhost: no browser would reach it. It should be the address by which everybody reaches "
                "the authority, with https."
            )


def _faults_of_redis_passwords(texts: Mapping[str, str]) -> Iterator[str]:
    url, file = texts.get("redis_url", ""), texts.get("redis_password_file", "")
    for variable, passwords in (
        ("GATEWAY_REDIS_URL", _passwords_in(url)),
        ("GATEWAY_REDIS_PASSWORD_FILE", _password_in(file)),
    ):
        phrase = next(filter(None, map(guessable_password, passwords)), None)
        if phrase:
            yield (
                f"{variable} is set, but its password {phrase}. It should be one that chance has made, such as what "
                "`openssl rand -hex 32` prints, here and in the server's own settings."
            )


def _faults_of_origins(effective: Mapping[str, str]) -> Iterator[str]:
    try:
        own = read_web_address(effective["public_url"])
    except ValueError:
        return  # which is a fault of its own
    for text in filter(None, map(str.strip, effective.get("allowed_origins", "").split(","))):
        try:
            other = read_web_address(text)
        except ValueError:
            continue
        if other.scheme == "http" and not other.is_on_loopback:
            continue  # a fault of its own
        if other.origin == own.origin:
            yield (
                f"GATEWAY_ALLOWED_ORIGINS names {shown(text)}, which is the gateway's own address, GATEWAY_PUBLIC_URL: "
                "its pages may call it anyhow. Leave it out."
            )
        elif not is_same_site(own, other):
            yield (
                f"GATEWAY_ALLOWED_ORIGINS names {shown(text)}, which is another site than GATEWAY_PUBLIC_URL, "
                f"{shown(own.origin)}: a browser would not send the session cookie with its requests. It should be an "
                "origin under the same registered name and with the same scheme, such as https://app.example.com "
                "beside https://bff.example.com."
            )


def _faults_of_scopes(effective: Mapping[str, str]) -> Iterator[str]:
    edit = effective.get("edit_profile_scope", "")
    if "tenant_subdomain" in effective and re.fullmatch(r"[^\s,;/]+", edit):
        yield (
            "GATEWAY_EDIT_PROFILE_SCOPE is a name alone, which Entra takes for one of Microsoft Graph's. It should be "
            "the Application ID URI of the API, a slash, and this name."
        )
    if edit and edit.lower() == effective["graph_scope"].lower():
        yield (
            "GATEWAY_EDIT_PROFILE_SCOPE is the same as GATEWAY_GRAPH_SCOPE. It should be the scope of the edit profile "
            "service, whose token alone is protected by MFA."
        )


def _faults_of_numbers(effective: Mapping[str, str]) -> Iterator[str]:
    admin_port = _number(effective, "admin_port")
    if admin_port is not None and admin_port == _number(effective, "port"):
        yield "GATEWAY_ADMIN_PORT is GATEWAY_PORT, which is published. Give the operators' side a port of its own."
    idle, absolute = (
        _number(effective, "session_idle_seconds"),
        _number(effective, "session_absolute_seconds"),
    )
    if idle is not None and absolute is not None and idle > absolute:
        yield (
            f"GATEWAY_SESSION_IDLE_SECONDS is longer than GATEWAY_SESSION_ABSOLUTE_SECONDS: {idle} and {absolute}. "
            "A session that is used ends by the second."
        )


def _number(effective: Mapping[str, str], name: str) -> int | None:
    """Return a number; None for what is no number, which is a fault of its own, and for what is nowhere."""
    text = effective.get(name, "")
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else None


def _passwords_in(redis_url: str) -> list[str]:
    """Return the passwords that an address of Redis holds, of the server and of Sentinel."""
    try:
        address = RedisAddress.parse(redis_url)
    except ValueError:
        return []
    return [word for word in (address.password, address.sentinel_password) if word]


def _password_in(file: str) -> list[str]:
    """Return the password that a file holds; nothing where it cannot be read, which is a fault of its own."""
    try:
        with Path(file).open(encoding="utf-8") as opened:
            text = opened.read(_LARGEST_PASSWORD).strip()
    except (OSError, ValueError):
        return []
    return [text] if text else []

"""Pages that stand by themselves: for a person whose browser cannot load the client's.

Owns what is said where each request of a browser is too large, or one too many, so that its scripts and styles would be
refused as well; or where its cookies say two things, so that the client's page could not know who looks at it.
Never shows anything of the request but the name of the host that answers.
"""

from html import escape
from typing import Final, NamedTuple

from aiohttp import hdrs, web

from gateway.errors import DuplicateCookie
from servicekit.errors import Overloaded, RequestHeaderFieldsTooLarge, UriTooLong
from servicekit.problems import Problem


class _Words(NamedTuple):
    title: str
    happened: str
    todo: str
    link: str
    reference: str


_ENGLISH: Final = {
    RequestHeaderFieldsTooLarge.slug: _Words(
        "Your browser sends too many cookies",
        "Each request to {host} carries more cookies than this service reads. They may come from other services "
        "under the same name.",
        "Delete the cookies of {host} in the settings of your browser, then load this page again. "
        "A private window works at once.",
        "",
        "Reference",
    ),
    UriTooLong.slug: _Words(
        "This address is too long",
        "The address that was opened is longer than this service reads.",
        "Start from the first page.",
        "First page",
        "Reference",
    ),
    DuplicateCookie.slug: _Words(
        "Your browser sends a cookie of this service twice",
        "Two cookies of {host} came under one name, and this service set one of them. The other may come from another "
        "service under the same name, or from somebody who wants you to work under their name.",
        "Your browser has been asked to delete both: start again from the first page. If this page comes back, delete "
        "the cookies of {host} in the settings of your browser. A private window works at once.",
        "First page",
        "Reference",
    ),
    Overloaded.slug: _Words(
        "Too much is going on here",
        "More people are using this service right now than it can serve at once. "
        "If you are signed in, you stay signed in.",
        "Wait a moment, then load this page again.",
        "",
        "Reference",
    ),
}
_GERMAN: Final = {
    RequestHeaderFieldsTooLarge.slug: _Words(
        "Ihr Browser sendet zu viele Cookies",
        "Mit jeder Anfrage an {host} kommen mehr Cookies, als dieser Dienst liest. Sie können von anderen Diensten "
        "unter demselben Namen stammen.",
        "Löschen Sie die Cookies von {host} in den Einstellungen Ihres Browsers, und laden Sie diese Seite neu. "
        "In einem privaten Fenster geht es sofort.",
        "",
        "Kennung",
    ),
    UriTooLong.slug: _Words(
        "Diese Adresse ist zu lang",
        "Die aufgerufene Adresse ist länger, als dieser Dienst liest.",
        "Beginnen Sie auf der ersten Seite.",
        "Erste Seite",
        "Kennung",
    ),
    DuplicateCookie.slug: _Words(
        "Ihr Browser sendet ein Cookie dieses Dienstes doppelt",
        "Zwei Cookies von {host} kamen unter einem Namen, und nur eines ist von diesem Dienst. Das andere kann von "
        "einem anderen Dienst unter demselben Namen stammen, oder von jemandem, unter dessen Namen Sie arbeiten "
        "sollen.",
        "Ihr Browser wurde gebeten, beide zu löschen: Beginnen Sie noch einmal auf der ersten Seite. Kommt diese "
        "Seite wieder, löschen Sie die Cookies von {host} in den Einstellungen Ihres Browsers. "
        "In einem privaten Fenster geht es sofort.",
        "Erste Seite",
        "Kennung",
    ),
    Overloaded.slug: _Words(
        "Hier ist gerade zu viel los",
        "Mehr Menschen benutzen diesen Dienst gerade, als er auf einmal bedienen kann. "
        "Wenn Sie angemeldet sind, bleiben Sie es.",
        "Warten Sie einen Moment, und laden Sie diese Seite dann neu.",
        "",
        "Kennung",
    ),
}
SHOWN: Final = frozenset(_ENGLISH)
"""The slugs of the problems that have such a page."""


def plain_page(request: web.Request, problem: Problem, reference: str, *, host: str) -> web.Response:
    """Return the page for a problem, which must be one of `SHOWN`, in German or else in English."""
    language = "de" if request.headers.get(hdrs.ACCEPT_LANGUAGE, "").lower().startswith("de") else "en"
    words = (_GERMAN if language == "de" else _ENGLISH)[problem.slug]
    link = f'<p><a href="/">{escape(words.link)}</a></p>' if words.link else ""
    happened, todo = (escape(text.format(host=host)) for text in (words.happened, words.todo))
    return web.Response(
        status=problem.status,
        text=(
            f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">'
            f"<title>{escape(words.title)}</title></head><body><main><h1>{escape(words.title)}</h1>"
            f"<p>{happened}</p><p>{todo}</p>{link}<p>{escape(words.reference)}: <code>{escape(reference)}</code></p>"
            "</main></body></html>"
        ),
        content_type="text/html",
        charset="utf-8",
        headers={**problem.headers, hdrs.VARY: f"{hdrs.ACCEPT}, {hdrs.ACCEPT_LANGUAGE}"},
    )

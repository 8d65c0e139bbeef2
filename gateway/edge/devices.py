"""A device's name, from what its browser says of itself.

Owns two words, browser and system, by which a person recognises a session of their own.
Never stores or shows more: versions and models say more about a person than this page needs. A full parser with its
thousands of patterns would find rarer browsers, and is not worth its upkeep for two words.
"""

from typing import Final

# Order matters: every browser claims to be its ancestors too.
_BROWSERS: Final = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("HeadlessChrome/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS: Final = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "Mac"),
    ("Linux", "Linux"),
)


def device_name(user_agent: str) -> str:
    """Return a name such as `Firefox on Windows`, or nothing where neither is known."""
    names = [
        next((name for mark, name in marks if mark in user_agent), "") for marks in (_BROWSERS, _SYSTEMS)
    ]
    return " on ".join(word for word in names if word)

"""Notices changed source files by looking at their times, twice a second; no library, no kernel interface.

Owns which files make which part stale. The SPA is not among them: the gateway reads its files on every request.
"""

from pathlib import Path

# servicekit is part of both services.
SOURCES = {
    "gateway": ("gateway", "servicekit"),
    "api": ("resource_api", "servicekit"),
    "tenant": ("local_tenant",),
}
_SUFFIXES = (".py", ".toml", ".json", ".html", ".css")


class Watch:
    """The state of the sources at the last look."""

    def __init__(self, root: Path, sources: dict[str, tuple[str, ...]] | None = None) -> None:
        self._root = root
        self._sources = SOURCES if sources is None else sources
        self._last_look = {part: self._look(part) for part in self._sources}

    def stale(self) -> list[str]:
        """List the parts whose sources have changed since the last call."""
        changed = []
        for part, before in self._last_look.items():
            now = self._look(part)
            if now != before:
                changed.append(part)
                self._last_look[part] = now
        return changed

    def _look(self, part: str) -> dict[str, int]:
        times: dict[str, int] = {}
        for folder in self._sources[part]:
            for path in (self._root / folder).rglob("*"):
                if path.suffix in _SUFFIXES:
                    try:
                        times[str(path)] = path.stat().st_mtime_ns
                    except FileNotFoundError:  # an editor is replacing it this very moment
                        continue
        return times

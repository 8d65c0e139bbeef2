"""The images that ours are made of, and Redis': each by its tag, for people, and by its digest, which is what is taken.

Owns where they are named, and the renewal of a digest by the engine's own tool. A digest is that of the index, so that
one line serves every processor.
Never pulls anything.
"""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_NAMED: Final = {
    "Dockerfile": re.compile(r"^ARG \w+_IMAGE=(?P<image>\S+)$", re.MULTILINE),
    "docker-compose.production.yml": re.compile(
        r"^    image: \$\{\w+_IMAGE:-(?P<image>\S+)\}$", re.MULTILINE
    ),
}
_IMAGE: Final = re.compile(r"(?P<name>[a-z0-9./-]+):(?P<tag>[\w.-]+)@sha256:(?P<digest>[0-9a-f]{64})")
_SECONDS: Final = 60


class ImageFault(Exception):
    """An image is named without its digest, or its digest cannot be asked for; the sentence says which."""


@dataclass(frozen=True, slots=True)
class Image:
    """An image of other people's."""

    name: str
    tag: str
    digest: str
    file: str

    def __str__(self) -> str:
        """Return the reference that an engine takes."""
        return f"{self.name}:{self.tag}@sha256:{self.digest}"


def images(root: Path) -> list[Image]:
    """Return the images that production is made of; raises ImageFault for one without a digest, or where none is."""
    found = []
    for file, pattern in _NAMED.items():
        references = [named["image"] for named in pattern.finditer((root / file).read_text(encoding="utf-8"))]
        if not references:
            raise ImageFault(f"{file} names no image of other people's where one is expected.")
        for reference in references:
            match = _IMAGE.fullmatch(reference)
            if match is None:
                raise ImageFault(f"{file} names {reference} without its digest.")
            found.append(Image(match["name"], match["tag"], match["digest"], file))
    return found


def renew(root: Path) -> list[str]:
    """Write the digests that the tags have today; return a line for each image. Raises ImageFault."""
    lines = []
    for image in images(root):
        digest = _digest_of_today(f"{image.name}:{image.tag}")
        lines.append(
            f"{image.name}:{image.tag} {'is as it was' if digest == image.digest else f'is now {digest}'}"
        )
        path = root / image.file
        path.write_text(path.read_text(encoding="utf-8").replace(image.digest, digest), encoding="utf-8")
    return lines


def _digest_of_today(tag: str) -> str:
    command = ("docker", "buildx", "imagetools", "inspect", tag, "--format", "{{.Manifest.Digest}}")
    try:
        ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ImageFault(f"The digest of {tag} cannot be asked for: {error}") from error
    found = re.fullmatch(r"sha256:([0-9a-f]{64})", ended.stdout.strip())
    if ended.returncode or found is None:
        raise ImageFault(f"The digest of {tag} cannot be asked for: {' '.join(ended.stderr.split())[-300:]}")
    return found[1]

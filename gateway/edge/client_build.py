"""A build of the single-page client: its files and its page as they belong together, under one name.

Owns the name, which is a digest of all that is sent under it, the addresses below it, and the files in memory.
Never mixes two states of the folder: what a build holds was read together, and never changes.
"""

import hashlib
import re
from collections.abc import Mapping
from typing import Final, Self

from gateway.edge.client_page import addressed, with_files_joined
from gateway.edge.file_types import file_type
from gateway.edge.held_file import HeldFile

INDEX: Final = "index.html"
PREFIX: Final = "/assets"
_DIGITS: Final = 32
BUILD_NAME: Final = re.compile(rf"[0-9a-f]{{{_DIGITS}}}")
"""What a build may be called; nothing else is looked for."""


class ClientBuild:
    """The files of one build, and its page.

    `sent` are the files below the build's address, by their paths there, and `page` is what names them. `files` are
    those of the folder as they lie, and `index` the page as it lies, whose addresses have no build in them.
    """

    def __init__(
        self,
        name: str,
        files: Mapping[str, HeldFile],
        sent: Mapping[str, HeldFile],
        index: HeldFile,
        page: HeldFile,
    ) -> None:
        self.name = name
        self.files = files
        self.sent = sent
        self.index = index
        self.page = page

    @classmethod
    def of(cls, contents: Mapping[str, bytes], like: Self | None = None) -> Self:
        """Return the build of these contents by their paths; what `like` has as well, or both forms, is held once."""
        files = {path: content for path, content in contents.items() if path != INDEX}
        page, sent = with_files_joined(contents[INDEX].decode(), files)
        name = name_of({INDEX: page.encode(), **sent})
        page = addressed(page, f"{PREFIX}/{name}", sent)
        held = (
            {} if like is None else {file.plain: file for file in (*like.files.values(), *like.sent.values())}
        )

        def held_file(path: str, content: bytes) -> HeldFile:
            content_type = file_type(path).content_type
            same = held.get(content)
            if same is None or same.content_type != content_type:
                same = held[content] = HeldFile(content, content_type)
            return same

        return cls(
            name,
            {path: held_file(path, content) for path, content in files.items()},
            {path: held_file(path, content) for path, content in sent.items()},
            held_file(INDEX, contents[INDEX]),
            held_file(INDEX, page.encode()),
        )

    def file_at(self, raw_path: str) -> HeldFile | None:
        """Return the file at an address of this build, as it was sent: nothing in it is decoded or made shorter."""
        return self.sent.get(raw_path.removeprefix(f"{PREFIX}/{self.name}/"))


def name_of(contents: Mapping[str, bytes]) -> str:
    """Return the name of the build of these contents, the same on every machine and for no others."""
    digest = hashlib.sha256()
    for path in sorted(contents):
        digest.update(f"{len(path.encode())} {len(contents[path])} {path}".encode())
        digest.update(contents[path])
    return digest.hexdigest()[:_DIGITS]

"""What kind of file a name says it is: its media type, and whether it gets smaller by compression.

Owns the table, so that the type of a file is the same on every machine: Python's own differs by version and by what the
machine's administrator installed.
Never looks into a file. A name that says nothing is bytes, which a browser saves and never runs (`nosniff`).
"""

from pathlib import PurePosixPath
from typing import Final, NamedTuple


class FileType(NamedTuple):
    """A media type as `Content-Type` says it, and whether compression is worth it."""

    content_type: str
    compresses: bool


_UTF_8: Final = "; charset=utf-8"
UNKNOWN: Final = FileType("application/octet-stream", compresses=False)

# Written as text: browsers are told how to read it, and it is packed.
_TEXT: Final = {
    "text/html": ("html", "htm"),
    "text/css": ("css",),
    # RFC 9239: the one name for scripts.
    "text/javascript": ("js", "mjs", "cjs"),
    "text/plain": ("txt", "text", "log"),
    "text/markdown": ("md",),
    "text/csv": ("csv",),
    "text/calendar": ("ics",),
    "text/vtt": ("vtt",),
    "text/vcard": ("vcf",),
    "application/json": ("json", "map"),
    "application/ld+json": ("jsonld",),
    "application/geo+json": ("geojson",),
    "application/manifest+json": ("webmanifest",),
    "application/yaml": ("yaml", "yml"),
    "application/vnd.apple.mpegurl": ("m3u8",),
}
# Say of themselves how they are read (an XML declaration), or are no text; packed all the same.
_PACKED: Final = {
    "application/xml": ("xml", "xsl", "xslt"),
    "application/xhtml+xml": ("xhtml",),
    "application/rss+xml": ("rss",),
    "application/atom+xml": ("atom",),
    "application/dash+xml": ("mpd",),
    "image/svg+xml": ("svg",),
    "application/wasm": ("wasm",),
    "font/ttf": ("ttf",),
    "font/otf": ("otf",),
    "font/collection": ("ttc",),
    "application/vnd.ms-fontobject": ("eot",),
    "image/vnd.microsoft.icon": ("ico",),
    "image/bmp": ("bmp",),
    "model/gltf+json": ("gltf",),
}
# Packed by their own form.
_AS_IT_IS: Final = {
    "font/woff": ("woff",),
    "font/woff2": ("woff2",),
    "image/png": ("png",),
    "image/apng": ("apng",),
    "image/jpeg": ("jpg", "jpeg"),
    "image/gif": ("gif",),
    "image/webp": ("webp",),
    "image/avif": ("avif",),
    "image/jxl": ("jxl",),
    "image/heic": ("heic",),
    "image/tiff": ("tif", "tiff"),
    "video/mp4": ("mp4", "m4v"),
    "video/webm": ("webm",),
    "video/ogg": ("ogv",),
    "video/quicktime": ("mov",),
    "video/mp2t": ("ts", "m2ts"),
    "audio/mpeg": ("mp3",),
    "audio/mp4": ("m4a",),
    "audio/aac": ("aac",),
    "audio/ogg": ("ogg", "oga", "opus"),
    "audio/wav": ("wav",),
    "audio/flac": ("flac",),
    "audio/webm": ("weba",),
    "application/pdf": ("pdf",),
    "application/zip": ("zip",),
    "application/gzip": ("gz",),
    "model/gltf-binary": ("glb",),
}
_BY_SUFFIX: Final = {
    **{end: FileType(kind + _UTF_8, compresses=True) for kind, ends in _TEXT.items() for end in ends},
    **{end: FileType(kind, compresses=True) for kind, ends in _PACKED.items() for end in ends},
    **{end: FileType(kind, compresses=False) for kind, ends in _AS_IT_IS.items() for end in ends},
}
# Files whose name is fixed by others, without a suffix (RFC 8615).
_BY_NAME: Final = {"apple-app-site-association": _BY_SUFFIX["json"]}


def file_type(path: str) -> FileType:
    """Return the type of a file by its name, in letters of either case."""
    name = PurePosixPath(path)
    return _BY_NAME.get(name.name) or _BY_SUFFIX.get(name.suffix[1:].lower(), UNKNOWN)

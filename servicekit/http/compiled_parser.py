"""Whether requests are read by aiohttp's compiled parser.

Owns the question, and the sentence for whoever starts a service without it. The parser of Python, which aiohttp takes
where its extension is missing or switched off, reads sizes of chunks that the next reader cannot, and waits for more
where there is nothing to wait for.
Never decides what follows.
"""

from typing import Final

from aiohttp import http_parser

NO_COMPILED_PARSER: Final = (
    "aiohttp's compiled parser is missing, and that of Python reads some requests otherwise than proxies do. "
    "Take the AIOHTTP_NO_EXTENSIONS variable away, or install aiohttp from a wheel."
)


def has_compiled_parser() -> bool:
    """Tell whether aiohttp found its extension and was not told to do without it."""
    return http_parser.HttpRequestParser is not http_parser.HttpRequestParserPy

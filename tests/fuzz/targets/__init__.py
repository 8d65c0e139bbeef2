"""All fuzz targets, by name. A new reader of foreign text gets a module here, and a folder of `corpus/`."""

from typing import Final

from tests.fuzz.target import Target
from tests.fuzz.targets import (
    addresses,
    authority_documents,
    bearer_challenges,
    bodies,
    bodies_of_forms,
    cookie_header,
    request_headers,
    sealed_records,
    signed_tokens,
    toml_files,
    upstream_targets,
)

TARGETS: Final[dict[str, Target]] = {
    target.name: target
    for module in (
        cookie_header,
        signed_tokens,
        addresses,
        bearer_challenges,
        bodies,
        bodies_of_forms,
        toml_files,
        authority_documents,
        sealed_records,
        request_headers,
        upstream_targets,
    )
    for target in module.TARGETS
}

"""The bill of materials in CycloneDX: everything that runs, builds or checks Stepup, with hashes and licences.

Owns what of the lock files becomes which component, and the door to cyclonedx-python-lib. The same files make the same
bill, to the byte: its serial number is made of its content, and it names no time.
Never asks a network: what is known against a component is the audit's.
"""

import json
import re
import tomllib
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, XsUri
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

from supply_chain.images import Image, images
from supply_chain.licences import known_licences, of_npm, uses
from supply_chain.locks import PRODUCT, Package

_SCOPES: Final = {
    "run": ComponentScope.REQUIRED,
    "local": ComponentScope.OPTIONAL,
    "development": ComponentScope.EXCLUDED,
}
_HEXADECIMAL: Final = {"sha256": HashAlgorithm.SHA_256, "sha512": HashAlgorithm.SHA_512}


class BillFault(Exception):
    """The bill is not what its standard asks for; the sentence says where."""


def bill(root: Path) -> str:
    """Return the bill as JSON, valid by the schema of its standard; raises BillFault, LockFault and ImageFault."""
    lock = tomllib.loads((root / "uv.lock").read_text(encoding="utf-8"))
    locked: dict[str, dict[str, Any]] = {package["name"]: package for package in lock["package"]}
    product = _product(root)
    bom = Bom()
    bom.metadata.component = product
    licences, python = known_licences(root), {}
    for use, packages in uses(root).items():
        for package in packages:
            component = _python(package, _SCOPES[use], licences[package.name], locked[package.name])
            python[package.name] = component
            bom.components.add(component)
    for package in of_npm(root):
        bom.components.add(_npm(package))
    bases = [_image(image) for image in images(root)]
    bom.components.update(bases)
    for name, component in python.items():
        needs = (one["name"] for one in locked[name].get("dependencies", ()))
        bom.register_dependency(component, [python[other] for other in needs if other in python])
    direct = (one["name"] for one in locked[PRODUCT]["dependencies"])
    bom.register_dependency(product, [*(python[name] for name in direct), *bases])
    text = _without_time(JsonV1Dot6(bom).output_as_string(indent=2))
    if fault := JsonStrictValidator(SchemaVersion.V1_6).validate_str(text):
        raise BillFault(f"The bill does not keep to CycloneDX 1.6: {fault}")
    return text


def _without_time(text: str) -> str:
    """Take the time out, and make the serial number of the rest."""
    content = json.loads(text)
    content["metadata"].pop("timestamp")
    content.pop("serialNumber")
    content["serialNumber"] = uuid.uuid5(uuid.NAMESPACE_OID, json.dumps(content, sort_keys=True)).urn
    return json.dumps(content, indent=2, sort_keys=True) + "\n"


def _product(root: Path) -> Component:
    found = re.search(
        r'VERSION: Final = "([^"]+)"', (root / "servicekit" / "version.py").read_text(encoding="utf-8")
    )
    version = found[1] if found else ""
    return Component(
        name=PRODUCT,
        version=version,
        type=ComponentType.APPLICATION,
        bom_ref=PRODUCT,
        licenses=[LicenseFactory().make_from_string("MIT")],
        purl=PackageURL("pypi", None, PRODUCT, version),
    )


def _python(package: Package, scope: ComponentScope, licence: str, locked: dict[str, Any]) -> Component:
    """Return a package with the files that may be installed, each with its hash."""
    files = [*locked.get("wheels", ()), *([locked["sdist"]] if "sdist" in locked else [])]
    purl = PackageURL("pypi", None, package.name, package.version)
    return Component(
        name=package.name,
        version=package.version,
        type=ComponentType.LIBRARY,
        scope=scope,
        bom_ref=purl.to_string(),
        purl=purl,
        licenses=[LicenseFactory().make_from_string(licence)],
        external_references=[
            ExternalReference(
                type=ExternalReferenceType.DISTRIBUTION,
                url=XsUri(file["url"]),
                hashes=_hashes([file["hash"]]),
            )
            for file in files
        ],
    )


def _npm(package: Package) -> Component:
    namespace, _, name = package.name.rpartition("/")
    purl = PackageURL("npm", namespace or None, name, package.version)
    return Component(
        group=namespace or None,
        name=name,
        version=package.version,
        type=ComponentType.LIBRARY,
        scope=ComponentScope.EXCLUDED,
        bom_ref=purl.to_string(),
        purl=purl,
        licenses=[LicenseFactory().make_from_string(package.licence)],
        hashes=_hashes(package.hashes),
    )


def _image(image: Image) -> Component:
    digest = f"sha256:{image.digest}"
    return Component(
        name=image.name,
        version=image.tag,
        type=ComponentType.CONTAINER,
        scope=ComponentScope.REQUIRED,
        bom_ref=f"image/{image.name}",
        purl=PackageURL("docker", None, image.name, digest, {"tag": image.tag}),
        hashes=_hashes([digest]),
    )


def _hashes(texts: Iterable[str]) -> list[HashType]:
    pairs = (text.split(":", 1) for text in texts)
    return [HashType(alg=_HEXADECIMAL[algorithm], content=content) for algorithm, content in pairs]

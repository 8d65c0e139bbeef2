"""docker-compose.yml and Dockerfile keep their promises; read as text, for no YAML parser is among our dependencies."""

import re
from pathlib import Path

import pytest

from gateway.lives import SETTLING_SECONDS
from gateway.settings import Settings
from servicekit.http.quiet_server import DRAIN_SECONDS as QUIET_DRAIN_SECONDS

ROOT = Path(__file__).resolve().parents[3]
LOCAL, PRODUCTION = "docker-compose.yml", "docker-compose.production.yml"
COMPOSE = {name: (ROOT / name).read_text(encoding="utf-8") for name in (LOCAL, PRODUCTION)}
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
PARTS = {
    LOCAL: {"redis", "tenant", "resource-api", "gateway"},
    PRODUCTION: {"redis", "resource-api", "gateway"},
}
ANNOUNCING_SECONDS = Settings.model_fields["shutdown_delay_seconds"].default
# The time in which the end is told, requests under way, and for the gateway also the token requests that they leave.
DRAIN_SECONDS = {
    "resource-api": ANNOUNCING_SECONDS + QUIET_DRAIN_SECONDS,
    "gateway": ANNOUNCING_SECONDS + QUIET_DRAIN_SECONDS + SETTLING_SECONDS,
}

each_file = pytest.mark.parametrize("file", [LOCAL, PRODUCTION])


def section(file: str, name: str) -> str:
    """Cut a top-level section out of a compose file."""
    return re.split(r"^\S", COMPOSE[file].split(f"\n{name}:", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]


def services(file: str) -> dict[str, str]:
    pieces = re.split(r"^  ([a-z-]+):$", section(file, "services"), flags=re.MULTILINE)
    return dict(zip(pieces[1::2], pieces[2::2], strict=True))


def targets() -> dict[str, str]:
    """Give each image's own instructions, after those of the image that it is built on."""
    found: dict[str, str] = {}
    for piece in re.split(r"^FROM ", DOCKERFILE, flags=re.MULTILINE)[1:]:
        head, instructions = piece.split("\n", 1)
        base, _, name = head.partition(" AS ")
        found[name] = found.get(base, "") + instructions
    return found


@each_file
def test_S59_every_service_has_the_hardening_and_its_limits(file: str) -> None:
    hardened = COMPOSE[file].split("\nx-hardened: &hardened\n", 1)[1].split("\n\n", 1)[0]
    promises = (
        '"10001:10001"',
        "read_only: true",
        "cap_drop: [ALL]",
        "no-new-privileges:true",
        "pids_limit:",
    )

    assert [promise for promise in promises if promise not in hardened] == []
    assert set(services(file)) - {"secrets"} == PARTS[file]
    for name, service in services(file).items():
        assert "<<: *hardened" in service, name
        assert "mem_limit:" in service, name
        assert not re.search(r"privileged|cap_add|user:|read_only|security_opt", service), name


@each_file
def test_S59_only_what_a_browser_opens_is_published_and_on_loopback(file: str) -> None:
    published = {name: re.findall(r'"([^"]+:\d+:\d+)"', service) for name, service in services(file).items()}
    wanted = {"gateway": ["127.0.0.1:3000:3000"], "tenant": ["127.0.0.1:8400:8400"]}

    assert {name: ports for name, ports in published.items() if ports} == {
        name: ports for name, ports in wanted.items() if name in PARTS[file]
    }


@each_file
def test_S59_nobody_but_the_gateway_reaches_the_store(file: str) -> None:
    members = [
        name for name, service in services(file).items() if re.search(r"networks: \[.*store.*\]", service)
    ]

    assert members == ["redis", "gateway"]
    assert "store: {internal: true}" in section(file, "networks")


@each_file
def test_S59_every_part_is_watched(file: str) -> None:
    assert {name for name, service in services(file).items() if "healthcheck:" in service} == PARTS[file]


@each_file
@pytest.mark.parametrize("name", ["gateway", "resource-api"])
def test_R19_a_part_is_given_longer_than_it_takes_to_finish_its_work(file: str, name: str) -> None:
    grace = re.search(r"stop_grace_period: (\d+)s", services(file)[name])

    assert grace is not None
    assert int(grace.group(1)) > DRAIN_SECONDS[name]


@each_file
def test_S59_no_secret_is_in_the_file(file: str) -> None:
    names = re.findall(
        r"^      (\w*(?:SECRET|KEYS|PASSWORD|REDIS_URL)\w*):", COMPOSE[file], flags=re.MULTILINE
    )

    assert names
    assert [name for name in names if not name.endswith("_FILE")] == []


def test_S57_the_production_file_starts_nothing_made_for_local_work() -> None:
    text = "".join(services(PRODUCTION).values())

    assert not re.search(r"local-tenant|local-secrets|AUTHORITY_MAP|LOCAL_TENANT", text)


def test_R16_what_the_resource_api_knows_of_the_authority_outlives_its_container() -> None:
    service = services(PRODUCTION)["resource-api"]
    directory = service.split("RESOURCE_API_STATE_DIRECTORY: ", 1)[1].split("\n", 1)[0]

    assert f':{directory}"' in service, "mounted, and not read-only"


def test_S57_production_images_hold_neither_tenant_nor_launcher_nor_tests() -> None:
    images = targets()

    for name in ("gateway", "resource-api"):
        assert not re.search(r"local_tenant|devstack|tests", images[name]), name
    assert "COPY local_tenant/" in images["local-tenant"]
    assert list(images)[-1] == "gateway"


def test_S59_images_run_without_root_and_without_pip() -> None:
    for name, instructions in targets().items():
        if name != "packages":
            assert re.findall(r"^USER (.+)$", instructions, flags=re.MULTILINE)[-1] == "10001:10001", name
            assert "rm -rf /usr/local/bin/pip*" in instructions, name
    assert "--require-hashes" in targets()["packages"]


def test_images_bring_the_bytecode_of_all_that_they_run_and_nothing_is_compared_with_its_source() -> None:
    compiling = re.compile(
        r"python -m compileall -q --invalidation-mode unchecked-hash((?: [^\\&\n]+| \\\n)+)",
        flags=re.MULTILINE,
    )
    for name, instructions in targets().items():
        compiled = " ".join(compiling.findall(instructions)).split()
        ours = {
            copied
            for copied in re.findall(r"^COPY (?!--from)(\S+)/ ", instructions, flags=re.MULTILINE)
            if (ROOT / copied / "__init__.py").exists()
        }
        assert ours <= set(compiled), name
        assert compiled.count("/usr/local/lib/python3.*") == (name != "packages"), name
    assert "/opt/stepup/lib" in compiling.findall(targets()["packages"])[0]


def test_only_what_the_images_are_made_of_is_sent_to_the_builder() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    copied = set(re.findall(r"^COPY (?!--from)(\S+) ", DOCKERFILE, flags=re.MULTILINE))

    assert lines[1] == "*"
    assert {line[1:] for line in lines if line.startswith("!")} == copied

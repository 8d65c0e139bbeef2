"""The client under its own tools: TypeScript's types, ESLint's rules, and the unit tests that run in Node.js.

Each of the three is one test, so that a failure shows what the tool says; `*.test.mjs` beside this file are its unit
tests, named like the modules of spa/. Each tool is also shown something wrong, so that none can be silent for another
reason than that nothing is.
"""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.unit.spa import files

TESTS = files.ROOT / "tests"
TSC = "tests/node_modules/typescript/lib/tsc.js"
ESLINT = ("tests/node_modules/eslint/bin/eslint.js", "--config", "tests/eslint.config.js")
# The client is served as it lies, without the package.json that would tell Node.js that its files are modules.
UNIT = ("--disable-warning=MODULE_TYPELESS_PACKAGE_JSON", "--import", "./tests/stage/spa/page.mjs", "--test")
MODULE_TESTS = sorted(path.name for path in Path(__file__).parent.glob("*.test.mjs"))


def run(node: str, *arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
    """Run a script of Node.js at the root of the working copy."""
    return subprocess.run(
        [node, *arguments],
        cwd=files.ROOT,
        input=given,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=120,
    )


def test_the_client_s_types_hold(node: str) -> None:
    done = run(node, TSC, "--project", "tests")
    assert done.returncode == 0, done.stdout


def test_the_client_breaks_no_rule(node: str) -> None:
    done = run(node, *ESLINT, "--max-warnings", "0", "spa", "examples", "tests")
    assert done.returncode == 0, done.stdout


def test_the_client_s_modules_do_what_their_tests_say(node: str) -> None:
    done = run(node, *UNIT, "--test-reporter=spec", *(f"tests/unit/spa/{name}" for name in MODULE_TESTS))
    assert done.returncode == 0, done.stdout
    counted = re.search(r"^\S tests (\d+)$", done.stdout, re.MULTILINE)
    assert counted, done.stdout
    assert int(counted[1]) > 300


@pytest.mark.parametrize("name", MODULE_TESTS)
def test_unit_tests_are_named_like_their_module(name: str) -> None:
    assert (files.SPA / f"{name.removesuffix('.test.mjs')}.js").is_file()


WRONG_TYPES = {
    "TS2322": "/** @type {string} */\nexport const name = 7;",
    "TS7006": "export const length = (text) => text.length;",
    "TS2345": "import { t } from './words.js';\nt(7);",
    "TS2571": "import { request } from './api.js';\n(await request('GET', '/')).data.city;",
}


def test_a_wrong_type_is_found(tmp_path: Path, node: str) -> None:
    """In a copy, so that what is wrong lies where the client lies."""
    project = json.loads((TESTS / "tsconfig.json").read_text(encoding="utf-8"))
    project["files"], project["include"] = ["spa/client.js"], ["spa"]
    project["compilerOptions"]["typeRoots"] = [str(TESTS / "node_modules" / "@types")]
    (tmp_path / "tsconfig.json").write_text(json.dumps(project), encoding="utf-8")
    shutil.copytree(files.SPA, tmp_path / "spa")
    for code, line in WRONG_TYPES.items():
        (tmp_path / "spa" / f"wrong-{code}.js").write_text(line, encoding="utf-8")

    done = run(node, TSC, "--project", str(tmp_path))

    assert done.returncode != 0
    errors = re.findall(r"^\S*wrong-(TS\d+)\.js\(\d+,\d+\): error (TS\d+)", done.stdout, re.MULTILINE)
    assert sorted(errors) == sorted((code, code) for code in WRONG_TYPES), done.stdout


@pytest.mark.parametrize(
    "name, lines, rules",
    [
        (
            "spa/wrong.js",
            "const unused = 1; export const same = (one, other) => one == other; console.log(process.cwd());\n",
            {"no-undef", "no-unused-vars", "eqeqeq", "no-console"},
        ),
        ("spa/choices.js", "'use strict';\nvar shared = 1;\n", {"no-implicit-globals"}),
        ("tests/unit/spa/wrong.test.mjs", "window.close();\n", {"no-undef"}),
    ],
)
def test_a_broken_rule_is_found(node: str, name: str, lines: str, rules: set[str]) -> None:
    done = run(node, *ESLINT, "--format", "json", "--stdin", "--stdin-filename", name, given=lines)

    assert done.returncode == 1
    assert rules <= {message["ruleId"] for message in json.loads(done.stdout)[0]["messages"]}


def test_a_failed_unit_test_is_told(tmp_path: Path, node: str) -> None:
    wrong = tmp_path / "wrong.test.mjs"
    wrong.write_text(
        f"import {{ tidy }} from '{files.SPA.as_uri()}/fields.js';\n"
        "import { test } from 'node:test';\n"
        "test('spaces stay', () => { if (tidy(' a ') !== ' a ') throw new Error('they went'); });\n",
        encoding="utf-8",
    )

    done = run(node, *UNIT, "--test-reporter=spec", str(wrong))

    assert done.returncode != 0
    assert "✖ spaces stay" in done.stdout
    assert "they went" in done.stdout


def test_no_rule_is_left_out_without_a_reason() -> None:
    """A reason is beside the rule, or above its group."""
    group = ""
    for line in (TESTS / "eslint.config.js").read_text(encoding="utf-8").splitlines():
        if not line.strip():
            group = ""
        elif line.strip().startswith("//"):
            group = line
        elif "'off'" in line and "@type" not in line:
            assert group or "//" in line, line

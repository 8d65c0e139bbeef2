"""Modules in one file do what they do one by one; and what is not understood is not joined."""

import subprocess
from pathlib import Path

import pytest

from gateway.edge.joined_modules import NotJoinableError, joined

# Each notes that it runs; what is said twice would run twice.
MODULES = {
    "early.js": "import { note } from './notes.js';\nnote('early');\nexport const asked = 'asked';\n",
    "notes.js": """export const notes = [];
/** @type {import('./deep/view.js').Note} */
export function note(text) { notes.push(text); }
""",
    "app.js": """// The page's own.
import * as all from './notes.js';
import { asked as early } from "./early.js"; // its name here
import { Kind, later, slow, plain as simple, renamed } from './deep/parts.js';
import './only-runs.js';

async function main() {
  all.note(['app', early, new Kind().name, slow, simple, renamed].join());
  const first = await import('./first.js');
  all.note(first.view());
  all.note(await later());
  all.note(Object.keys(await import('./notes.js')).sort().join());
  all.note((await import('./deep/view.js')).view());
  all.note((await import('./deep/other.js')).view());
  console.log(all.notes.join('\\n'));
}

// Not awaited, as views import what is in this file.
main();
""",
    "first.js": "import { note } from './notes.js';\nnote('first');\nexport const view = () => 'the first view';\n",
    "only-runs.js": "import { note } from './notes.js';\nnote('only runs')",
    "deep/parts.js": """import { note } from '../notes.js';

note('parts');
export class Kind { name = 'kind'; }
export async function later() { return `later: ${await Promise.resolve(1)}`; }
export const slow = await new Promise((resolve) => { setTimeout(resolve, 1, 'slow'); });
export const { a: plain,
  renamed } = { a: 1, renamed: 2 };
""",
    "deep/view.js": """import { note } from '../notes.js';
import { of } from './own.js';
import { shared } from '../shared.js';
export const view = () => `the view, with ${of} and ${shared}`;
note('view');
""",
    "deep/own.js": """import { note } from '../notes.js';
import { Kind } from './parts.js';
note('own');
export const of = new Kind().name;
""",
    "deep/other.js": """import { asked } from '../early.js';
import { shared } from '../shared.js';
export const view = () => `the other, ${asked}, with ${shared}`;
""",
    "shared.js": "import { note } from './notes.js';\nnote('shared');\nexport const shared = 'what both have';\n",
    "classic.js": "(() => { 'use strict'; })();\n",
}
ROOTS = [("early.js", []), ("app.js", ["first.js"])]


def files_of(modules: dict[str, str]) -> dict[str, bytes]:
    """Return modules as they are read."""
    return {name: text.encode() for name, text in modules.items()}


def said_by(node: str, folder: Path, files: dict[str, bytes]) -> list[str]:
    """Run the page's modules; return what they noted."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    (folder / "package.json").write_text('{"type": "module"}', "utf-8")
    page = "await import('./early.js'); await import('./app.js');"
    done = subprocess.run(
        [node, "--input-type=module", "--eval", page],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_joined_modules_do_what_they_do_one_by_one(node: str, tmp_path: Path) -> None:
    one_by_one = said_by(node, tmp_path / "apart", files_of(MODULES))
    together = said_by(node, tmp_path / "joined", joined(ROOTS, files_of(MODULES)))

    # What the page names runs at once, what stands for later does so before it is asked for.
    assert sorted(together) == sorted(one_by_one)
    assert together.index("first") < together.index("the first view")
    assert len(set(together)) == len(together), "nothing runs twice"


def test_what_is_needed_together_is_one_file_and_what_several_need_is_its_own() -> None:
    files = joined(ROOTS, files_of(MODULES))

    assert sorted(files) == ["app.js", "classic.js", "deep/other.js", "deep/view.js", "early.js", "shared.js"]
    for part in ("notes.push", "note('early')"):
        assert [name for name, text in files.items() if part.encode() in text] == ["early.js"]
    for part in ("note('first')", "note('parts')", "note('only runs')"):
        assert [name for name, text in files.items() if part.encode() in text] == ["app.js"]
    assert [name for name, text in files.items() if b"note('own')" in text] == ["deep/view.js"]
    assert files["classic.js"] == MODULES["classic.js"].encode(), "byte for byte"


def test_the_same_modules_are_the_same_files_in_whatever_order_they_were_read() -> None:
    backwards = dict(reversed(MODULES.items()))

    assert joined(ROOTS, files_of(MODULES)) == joined(ROOTS, files_of(backwards))


def test_a_module_that_nothing_is_joined_with_stays_as_it_lies() -> None:
    files = {"app.js": b"export const words = 'M\xc3\xa4rz';\n"}

    assert joined([("app.js", [])], files) == files


def test_a_page_may_name_what_there_is_not() -> None:
    assert joined([("gone.js", ["gone-too.js"])], {"app.js": b""}) == {"app.js": b""}


@pytest.mark.parametrize(
    "script",
    [
        "import a from './a.js';",
        "import a, { b } from './a.js';",
        "import { a } from 'a';",
        "import { a } from 'https://cdn.example.com/a.js';",
        "import 'a';",
        "import { gone } from './a.js';",
        "import { a } from './gone.js';",
        "import { default as a } from './a.js';",
        "import { 'a name' as a } from './a.js';",
        "import json from './a.json' with { type: 'json' };",
        "export default 7;",
        "export default function a() {}",
        "export let count = 0;",
        "export var count = 0;",
        "export { a };",
        "export { a } from './a.js';",
        "export * from './a.js';",
        "export * as all from './a.js';",
        "export const [one] = [1];",
        "export const { a: { deep } } = {};",
        "export const { ...rest } = {};",
        "  import { a } from './a.js';",
        "const b = 1; import { a } from './a.js';",
        "import { a } from './a.js'; import { b } from './a.js';",
        "}export { b };",
        "export const here = import.meta.url;",
        "export const here = import . meta.url;",
        "import { again } from './main.js';\nexport const again = 1;",
        "import { round } from './round.js';\nexport const b = 1;",
        "\udcff",
    ],
)
def test_what_is_not_understood_is_not_joined(script: str) -> None:
    files = {
        "app.js": b"import { b } from './main.js';\n",
        "main.js": f"{script}\n".encode(errors="surrogateescape"),
        "a.js": b"export const a = 1;\n",
        "round.js": b"import { b } from './main.js';\nexport const round = 1;\n",
    }

    with pytest.raises(NotJoinableError):
        joined([("app.js", [])], files)


@pytest.mark.parametrize(
    "roots",
    [
        [("app.js", ["view.js"])],
        [("view.js", []), ("app.js", [])],
        [("app.js", []), ("app.js", [])],
    ],
)
def test_what_loads_the_page_s_own_module_does_not_travel_with_it_or_before_it(
    roots: list[tuple[str, list[str]]],
) -> None:
    files = {"app.js": b"export const a = 1;\n", "view.js": b"import { a } from './app.js';\n"}

    with pytest.raises(NotJoinableError):
        joined(roots, files)


@pytest.mark.parametrize(
    "script",
    [
        "const from = './a.js';",
        "// import { a } from 'a';",
        "/* export default */",
        "/** @import {A} from './a.d.ts' */",
        "const a = { import: 1, export: 2 }.import;",
        "const load = () => import('./a.js');",
        "const load = () => import(name);",
        "const text = 'import a from b';",
        "const important = 1; exported(important);",
    ],
)
def test_what_only_looks_like_an_import_or_an_export_is_left_alone(script: str) -> None:
    assert joined([("app.js", [])], {"app.js": script.encode()}) == {"app.js": script.encode()}

"""The client's modules as they travel: several in one file, so that a browser asks once for what it needs together.

Owns which modules share a file, and the file: each module in a function of its own, in the order in which a browser
would run them, and last the one that the file is named after, which exports what it always did.
Never reads a script but for its imports and exports, and takes only those that a line begins with, as our client
writes them; whatever else there is, `NotJoinableError` says so, and the modules travel one by one.

NOT checked: what a text in backticks says at the beginning of a line. A module that awaits what is loaded later would
wait for ever, as that imports from the file which is still starting.

Sources: ECMAScript, section 16.2 (modules); HTML, section 8.1.6.6 (module specifiers).
"""

import posixpath
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

_TARGET: Final = r"""(?P<quote>['"])(?P<target>\.{1,2}/[^'"\n]+)(?P=quote)"""
_IMPORT: Final = re.compile(
    rf"^import\b\s*(?:(?:\{{(?P<names>[^}}]*)\}}|\*\s*as\s+(?P<all>[\w$]+))\s*from\s*)?{_TARGET}[ \t]*;?",
    re.MULTILINE,
)
_EXPORT: Final = re.compile(
    r"^export\s+(?=(?:async\s+)?function\b\s*\*?\s*(?P<function>[\w$]+)|class\s+(?P<class>[\w$]+)"
    r"|const\s+(?:(?P<const>[\w$]+)\s*=|\{(?P<names>[^}]*)\}\s*=))",
    re.MULTILINE,
)
# Each of these begins with its word, which is found twenty times as fast as a word after something.
_NEEDED: Final = re.compile(rf"import\((?<![\w$.]import\()\s*{_TARGET}\s*\)")
_WORDS: Final = (re.compile(r"import\b(?!\s*\()"), re.compile(r"export\b"))
_OWN_PLACE: Final = re.compile(r"import\s*\.\s*meta\b")
_RENAMED: Final = re.compile(r"\s+as\s+")


class NotJoinableError(ValueError):
    """A module is written in a way that is not known here."""


@dataclass(frozen=True, slots=True)
class _Module:
    """A module: what it loads with itself and what when it is needed, by paths, and the names that it exports."""

    text: str
    loads: tuple[str, ...]
    needs: tuple[str, ...]
    exports: tuple[str, ...]


def joined(roots: Sequence[tuple[str, Sequence[str]]], scripts: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the files that `scripts` become, by their paths; `roots` are the page's own modules, in its order.

    With each root go all that it loads and that no root before it has, and the modules named beside it with theirs.
    With a module that is loaded when it is needed (`import()`) go those that nobody else loads; every other one is a
    file by itself. Raises NotJoinableError.
    """
    modules = {name: _read(name, script) for name, script in scripts.items()}
    files = _sharing([root for root in roots if root[0] in modules], modules)
    file_of = {name: head for head, names in files.items() for name in names}
    shared = {
        target
        for name, module in modules.items()
        for target in (*module.loads, *module.needs)
        if file_of.get(target) != file_of[name]
    }
    return {
        head: _File(head, names, modules, file_of, shared).text().encode() for head, names in files.items()
    }


def _sharing(
    roots: Sequence[tuple[str, Sequence[str]]], modules: Mapping[str, _Module]
) -> dict[str, list[str]]:
    """Return the modules of each file in the order in which they run, the one that it is named after last."""
    files: dict[str, list[str]] = {}
    taken: set[str] = set()
    for root, beside in roots:
        files[root] = [name for name in _in_order([*beside, root], modules) if name not in taken]
        if files[root][-1:] != [root]:
            raise NotJoinableError(f"{root} is loaded by what travels with it, or before it")
        taken |= {*files[root]}
    heads = sorted({name for module in modules.values() for name in module.needs if name in modules} - taken)
    loaded = {head: [name for name in _in_order([head], modules) if name not in taken] for head in heads}
    times = Counter(name for names in loaded.values() for name in names)
    for head, names in loaded.items():
        files[head] = [name for name in names if name == head or (times[name] == 1 and name not in heads)]
        taken |= {*files[head]}
    return files | {name: [name] for name in sorted(modules.keys() - taken)}


def _read(name: str, script: bytes) -> _Module:
    try:
        text = script.decode()
    except UnicodeDecodeError:
        raise NotJoinableError(f"{name} is not UTF-8") from None
    if strange := _strange(_EXPORT.sub("", _IMPORT.sub("", text))):
        raise NotJoinableError(f"{name} has {strange!r} in a form that is not known here")
    folder = posixpath.dirname(name)

    def paths(statements: re.Pattern[str]) -> tuple[str, ...]:
        return tuple(_path(folder, found["target"]) for found in statements.finditer(text))

    exports: list[str] = []
    for found in _EXPORT.finditer(text):
        one = found["function"] or found["class"] or found["const"]
        exports += [one] if one else [name for _, name in _pairs(found["names"], ":")]
    return _Module(text, paths(_IMPORT), paths(_NEEDED), tuple(exports))


def _strange(text: str) -> str:
    """Return the word of a statement that is left, or what says where a module lies; '' where there is neither."""
    if place := _OWN_PLACE.search(text):
        return place[0]
    for word in _WORDS:
        for found in word.finditer(text):
            before = text[text.rfind("\n", 0, found.start()) + 1 : found.start()].rstrip(" \t")
            if not before or before.endswith((";", "}")):
                return found[0]
    return ""


def _in_order(names: Iterable[str], modules: Mapping[str, _Module]) -> list[str]:
    """Return modules with all that they load, each after what it loads itself."""
    ordered: dict[str, None] = {}
    under_way: set[str] = set()

    def visit(name: str) -> None:
        if name in ordered or name not in modules:
            return
        if name in under_way:
            raise NotJoinableError(f"{name} loads itself, by way of others")
        under_way.add(name)
        for target in modules[name].loads:
            visit(target)
        ordered[name] = None

    for name in names:
        visit(name)
    return list(ordered)


class _File:
    """A file of several modules; the last of `names` is the one that it is named after, its head.

    `file_of` tells in which file each module is, and `shared` which ones other files ask for.
    """

    def __init__(
        self,
        head: str,
        names: Sequence[str],
        modules: Mapping[str, _Module],
        file_of: Mapping[str, str],
        shared: AbstractSet[str],
    ) -> None:
        self._head = head
        self._shared = shared
        self._names = names
        self._modules = modules
        self._file_of = file_of
        # What it imports from other files, by their paths.
        self._imports: dict[str, dict[str, None]] = {}

    def text(self) -> str:
        """Return the file; raises NotJoinableError."""
        parts = [self._part(name) for name in self._names if name != self._head]
        last = self._module(self._head)
        exported = ", ".join(_variable(name) for name in self._names if name in self._shared - {self._head})
        exports = f"export {{ {exported} }};\n" if exported else ""
        imports = [
            f"import {what} from '{self._way_to(file)}';\n"
            for file, names in self._imports.items()
            for what in names
        ]
        return "".join([*imports, *parts, exports, last])

    def _part(self, name: str) -> str:
        text = _EXPORT.sub("", self._module(name))
        exports = ", ".join(self._modules[name].exports)
        return f"const {_variable(name)} = await (async () => {{\n{text}\nreturn {{ {exports} }};\n}})();\n"

    def _module(self, name: str) -> str:
        """Return a module's text, which takes what it imports from variables of this file."""
        folder = posixpath.dirname(name)
        text = _IMPORT.sub(lambda found: self._taken(found, name), self._modules[name].text)
        return _NEEDED.sub(lambda found: self._needed(found, folder), text)

    def _taken(self, found: re.Match[str], name: str) -> str:
        target = _path(posixpath.dirname(name), found["target"])
        file = self._file_of.get(target)
        if file is None:
            raise NotJoinableError(f"{name} imports {target}, which there is not")
        variable = _variable(target)
        if file != self._head:
            what = f"* as {variable}" if file == target else f"{{ {variable} }}"
            self._imports.setdefault(file, {})[what] = None
        if found["all"]:
            return f"const {found['all']} = {variable};"
        if not found["names"]:
            return ""
        pairs = _pairs(found["names"], _RENAMED)
        if missing := {own for own, _ in pairs} - {*self._modules[target].exports}:
            raise NotJoinableError(f"{name} imports {min(missing)!r} of {target}, which exports no such name")
        names = ", ".join(own if own == local else f"{own}: {local}" for own, local in pairs)
        return f"const {{ {names} }} = {variable};"

    def _needed(self, found: re.Match[str], folder: str) -> str:
        target = _path(folder, found["target"])
        file = self._file_of.get(target)
        if file is None:
            return found[0]
        variable = _variable(target)
        if file == self._head != target:
            return f"Promise.resolve({variable})"
        imported = f"import('{self._way_to(file)}')"
        return imported if file == target else f"{imported}.then(({{ {variable} }}) => {variable})"

    def _way_to(self, file: str) -> str:
        way = posixpath.relpath(file, posixpath.dirname(self._head) or ".")
        return way if way.startswith("../") else f"./{way}"


def _path(folder: str, target: str) -> str:
    return posixpath.normpath(posixpath.join(folder, target))


def _variable(name: str) -> str:
    """Return the name that a module has among others, which none of our client's own names looks like."""
    return "$" + re.sub(r"\W", "_", name.removesuffix(".js"))


def _pairs(names: str, between: str | re.Pattern[str]) -> list[tuple[str, str]]:
    """Return what stands in braces: each name, and what it is called here."""
    pairs = []
    for part in filter(None, (part.strip() for part in names.split(","))):
        own, *local = (one.strip() for one in re.split(between, part))
        if len(local) > 1 or not all(re.fullmatch(r"[\w$]+", one) for one in (own, *local)):
            raise NotJoinableError(f"{part!r} is in a form that is not known here")
        pairs.append((own, local[0] if local else own))
    return pairs

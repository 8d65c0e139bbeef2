"""docs/reference/upstreams.md says what the rows' form does, and its example is right."""

import json
import re
from pathlib import Path
from typing import Final

from pydantic.fields import FieldInfo

from gateway.upstream_rows import UpstreamRow
from gateway.upstream_rows.reading import upstream_rows
from tests.stage.sources import ROOT
from tests.unit.test_docs import sections, tables

PAGE: Final = (ROOT / "docs/reference/upstreams.md").read_text(encoding="utf-8")


def default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    if field.default in (None, ()):
        return "\N{EN DASH}"
    value = list(field.default) if isinstance(field.default, tuple) else field.default
    return f"`{json.dumps(value)}`"


def test_U29_every_member_of_a_row_is_documented_with_its_default() -> None:
    rows = {cells[0].strip("`"): cells[1] for cells in tables(sections(PAGE)["What a row holds"])}

    assert {name: cell for name, cell in rows.items() if name not in {"member", "---"}} == {
        name: default(field) for name, field in UpstreamRow.model_fields.items()
    }


def test_the_example_of_the_page_is_right(tmp_path: Path) -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    file = tmp_path / "upstreams.toml"
    file.write_text(example, encoding="utf-8")

    assert [row.name for row in upstream_rows(str(file))] == ["notes", "notes-edit"]  # type: ignore[attr-defined]

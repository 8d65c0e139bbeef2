"""A configuration that cannot be used is refused with a sentence, however it is wrong."""

from pathlib import Path

import pytest

from local_tenant.configuration import ConfigurationError, load


@pytest.mark.parametrize("text", ["a = " + "[" * 5_000, "[" + "a." * 1_500 + "a]\n", "a = " + "{a=" * 1_000])
def test_a_file_that_is_nested_without_end_is_a_fault_of_the_file(tmp_path: Path, text: str) -> None:
    file = tmp_path / "tenant.toml"
    file.write_text(text, encoding="utf-8")

    with pytest.raises(ConfigurationError, match=r"tenant\.toml"):
        load(file, {})

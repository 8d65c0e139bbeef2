"""Switches of the interpreter that a service for others must not have."""

import pytest

from servicekit.debug_switches import faults_of_debugging


@pytest.mark.parametrize(
    "variable, text",
    [
        ("PYTHONASYNCIODEBUG", "1"),
        ("PYTHONASYNCIODEBUG", "0"),  # any text switches it on
        ("PYTHONDEVMODE", "1"),
        ("SSLKEYLOGFILE", "/var/log/keys"),
        ("PYTHONHASHSEED", "0"),
        ("PYTHONHASHSEED", "42"),
    ],
)
def test_A7_S57_a_switch_that_is_on_is_named_with_its_harm(variable: str, text: str) -> None:
    (line,) = faults_of_debugging({"PATH": "/bin", variable: text})

    assert line.startswith(f"{variable} is set, which ")
    assert line.endswith("It is for local work only; remove it.")


def test_A7_S57_a_switch_that_is_off_is_none() -> None:
    assert (
        list(
            faults_of_debugging(
                {"PYTHONASYNCIODEBUG": "", "PYTHONHASHSEED": "random", "PYTHONUNBUFFERED": "1"}
            )
        )
        == []
    )


def test_A7_S57_the_option_of_the_command_line_is_a_switch_too() -> None:
    (line,) = faults_of_debugging({}, dev_mode=True)

    assert line.startswith("PYTHONDEVMODE is set by -X dev, which ")
    assert len(list(faults_of_debugging({"PYTHONDEVMODE": "1"}, dev_mode=True))) == 1, "told once"

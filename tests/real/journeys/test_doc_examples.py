"""The examples in docs/reference/http-api.md answer as they say, run one after the other against the whole product."""

import asyncio
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from devstack.stack import Stack
from tests.stage.curl import path_with_curl
from tests.stage.other_front_end import OtherFrontEnd
from tests.stage.sources import ROOT

PAGE: Final = ROOT / "docs/reference/http-api.md"


@pytest.mark.stack
async def test_U22_the_examples_with_curl_answer_as_they_say(stack: Stack, tmp_path: Path) -> None:
    examples = re.findall(
        r"^```sh\n# (\d{3})\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    path = path_with_curl(tmp_path, os.environ["PATH"])
    (tmp_path / ".curlrc").write_text('write-out = "\\n%{http_code}"\n', encoding="utf-8")
    async with OtherFrontEnd.open(stack.gateway_url, stack.tenant_url) as person:
        await person.sign_in()
        waiting = [(await person.call("PATCH", "/api/profile", {"city": city})).body for city in "ABC"]
        assert await person.step_up(waiting[-1]["redirect"]) == "/"
        session = person.cookie()
        edits = [answer["parked_edit"]["id"] for answer in waiting]
        assert len(examples) > 10
        for status, example in examples:
            surroundings = {
                **os.environ,
                "PATH": path,
                "CURL_HOME": str(tmp_path),
                "GATEWAY": stack.gateway_url,
            }
            surroundings |= {"SESSION": session, "EDIT": edits.pop() if "$EDIT" in example else ""}
            ran = await asyncio.to_thread(
                subprocess.run,
                ["bash", "-euc", example],
                env=surroundings,
                capture_output=True,
                text=True,
                check=False,
            )
            body, _, answered = ran.stdout.rpartition("\n")
            sys.stderr.write(f"{example}{ran.stdout}{ran.stderr}\n")

            assert answered == status
            assert not body.strip() or json.loads(body)

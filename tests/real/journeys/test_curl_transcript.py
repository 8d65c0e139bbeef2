"""The commands in docs/how-to/step-up.md, run as they stand there."""

import asyncio
import re
import shutil
from pathlib import Path

import pytest

from devstack.stack import Stack

PAGE = Path(__file__).resolve().parents[3] / "docs/how-to/step-up.md"


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed on this computer")
async def test_U22_U23_the_transcript_of_the_step_up_page_works(stack: Stack, tmp_path: Path) -> None:
    blocks = re.findall(r"^```sh\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    assert len(blocks) > 5

    run = await asyncio.create_subprocess_exec(
        "bash",
        "-euxo",
        "pipefail",
        "-c",
        "\n".join(blocks),
        cwd=tmp_path,
        env={
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "GATEWAY": stack.gateway_url,
            "TENANT": stack.tenant_url,
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await asyncio.wait_for(run.communicate(), 60)

    assert run.returncode == 0, output.decode()[-3000:]

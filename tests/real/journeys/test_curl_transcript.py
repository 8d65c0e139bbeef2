"""The commands in docs/how-to/step-up.md, run as they stand there."""

import asyncio
import os
import re
from pathlib import Path

from devstack.stack import Stack
from tests.stage.curl import path_with_curl
from tests.stage.patience import PATIENCE

PAGE = Path(__file__).resolve().parents[3] / "docs/how-to/step-up.md"


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
            "PATH": path_with_curl(tmp_path, os.environ["PATH"]),
            "GATEWAY": stack.gateway_url,
            "TENANT": stack.tenant_url,
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await asyncio.wait_for(run.communicate(), PATIENCE)

    assert run.returncode == 0, output.decode()[-3000:]

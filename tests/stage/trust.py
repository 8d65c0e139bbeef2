"""Whom the services in tests trust: one authority, which signs nothing.

Loading the hundred authorities that a system brings takes longer than most tests, and each service does it at start.
"""

from pathlib import Path
from typing import Final

ONE_CERTIFICATE: Final = str(Path(__file__).with_name("one_certificate.pem"))

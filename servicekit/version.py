"""The version of this product, in the one place where it is written.

Owns the number: the wheel, both services' logs, health, metrics and documents, and `--version` take it from here.
The client's page repeats it, because pages are served as they lie; a test compares the two.
A constant and no look into installed metadata, because the images and a working copy run without an installation.
"""

from typing import Final

VERSION: Final = "0.1.0"

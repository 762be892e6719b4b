"""The example of a provisioner is imported as it lies there."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "examples" / "keycloak"))

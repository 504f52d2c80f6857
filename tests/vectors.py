"""The known answers of tests/data/vectors.json."""

import json
from pathlib import Path

VECTORS = json.loads((Path(__file__).parent / "data" / "vectors.json").read_text())

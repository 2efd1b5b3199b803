"""``python -m bot.config > docs/config.schema.json`` writes the JSON Schema that editors use."""

import json
import sys

from bot.config.schema import json_schema

json.dump(json_schema(), sys.stdout, indent=2, ensure_ascii=False)
sys.stdout.write("\n")

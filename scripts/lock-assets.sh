#!/bin/sh
# Writes web/package-lock.json anew after a change in web/package.json. Needs npm.
set -eu
cd "$(dirname "$0")/../web"
npm install --package-lock-only >/dev/null
# Addresses for donations are of no use to a build, and without them the file names no host at all.
python3 - <<'PYTHON'
import json
from pathlib import Path

path = Path("package-lock.json")
lock = json.loads(path.read_text(encoding="utf-8"))
for package in lock["packages"].values():
    package.pop("funding", None)
path.write_text(json.dumps(lock, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
PYTHON

"""Every measurement, one after the other; results go to bench/results/."""

from __future__ import annotations

import subprocess
import sys

MODULES = (
    "bench.ingest",
    "bench.auditing",
    "bench.http",
    "bench.importing",
    "bench.report",
    "bench.errors",
    "bench.pages",
    "bench.dial",
    "bench.traces",
    "bench.edge",
    "bench.settlement",
    "bench.statements",
)

for module in MODULES:
    subprocess.run([sys.executable, "-m", module], check=True)

"""`make torture`: every script, the soak last and alone; 1 where one promise was broken.

`python tests/torture/all.py --minutes 30` (the default): half of the time at most goes to the index and the PDFs side by side,
what is left to the soak.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
AROUND_SOAK = 240  # seconds of the soak script besides its load: index, overload, slow clients, five restarts


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30, help="for all of it; 12 at least")
    seconds = max(12.0, parser.parse_args().minutes) * 60
    started, half = time.monotonic(), str(seconds / 2 - 60)
    side_by_side = (
        ["index.py", "--kills", "200", "--flips", "8", "--every", "2", "--seconds", half],
        ["pdfs.py", "--mutants", "10000", "--seconds", half],
    )
    print("→ Index et lecture, côte à côte, puis le service, aussi longtemps que le temps donné le permet…", flush=True)
    running = [subprocess.Popen([sys.executable, str(HERE / line[0]), *line[1:]]) for line in side_by_side]
    statuses = [process.wait() for process in running]
    left = max(2.0, (seconds - AROUND_SOAK - (time.monotonic() - started)) / 60)
    soak = [sys.executable, str(HERE / "soak.py"), "--minutes", f"{left:.1f}"]
    statuses.append(subprocess.run(soak, check=False).returncode)
    minutes = (time.monotonic() - started) / 60
    print(
        f"→ Toutes les promesses tiennent ({minutes:.0f} minutes, dont {left:.0f} de charge continue)."
        if not any(statuses)
        else "→ Une promesse au moins est rompue : voyez BROKEN."
    )
    return 1 if any(statuses) else 0


if __name__ == "__main__":
    raise SystemExit(main())

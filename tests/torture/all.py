"""`make torture`: every script, the soak last and alone; 1 where one promise was broken. About 25 minutes on two cores."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
SIDE_BY_SIDE = (
    ["index.py", "--kills", "200", "--flips", "8", "--every", "2"],
    ["pdfs.py", "--mutants", "10000", "--seconds", "900"],
)
THEN = (["soak.py", "--minutes", "8"],)


def main() -> int:
    print("→ Index et lecture, côte à côte (15 minutes au plus), puis le service (10 minutes)…", flush=True)
    running = [subprocess.Popen([sys.executable, str(HERE / line[0]), *line[1:]]) for line in SIDE_BY_SIDE]
    statuses = [process.wait() for process in running]
    statuses += [
        subprocess.run([sys.executable, str(HERE / line[0]), *line[1:]], check=False).returncode for line in THEN
    ]
    print(
        "→ Toutes les promesses tiennent."
        if not any(statuses)
        else "→ Une promesse au moins est rompue : voyez BROKEN."
    )
    return 1 if any(statuses) else 0


if __name__ == "__main__":
    raise SystemExit(main())

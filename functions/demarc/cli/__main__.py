"""`python -m demarc.cli` is `demarc`."""

from __future__ import annotations

from demarc.cli import main

if __name__ == "__main__":
    main(prog_name="demarc")

"""The command line; see helm_wandb/cli.py."""

import sys

from helm_wandb.system import start

if __name__ == "__main__":
    cli = start.load("helm_wandb.cli")
    from pathlib import Path

    sys.exit(cli.main(sys.argv[1:], root=Path(__file__).resolve().parent))

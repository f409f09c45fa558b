"""The command line; see helm_wandb/cli.py."""

import sys
from pathlib import Path

from helm_wandb import cli

if __name__ == "__main__":
    sys.exit(cli.main(sys.argv[1:], root=Path(__file__).resolve().parent))

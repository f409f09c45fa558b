"""The command line; see helm_wandb/cli.py."""

import sys

from helm_wandb.system import start

if __name__ == "__main__":
    cli = start.load("helm_wandb.cli")
    from pathlib import Path

    root = Path(__file__).resolve().parent
    sys.exit(cli.main(sys.argv[1:], root=root, command=start.call(sys.argv[0])))

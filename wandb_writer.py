"""The command line; see helm_wandb/cli.py."""

import sys

from helm_wandb.system import signals

if __name__ == "__main__":
    signals.install()
    # Imported here: a signal must end the run during the imports too.
    from pathlib import Path

    from helm_wandb import cli

    sys.exit(cli.main(sys.argv[1:], root=Path(__file__).resolve().parent))

"""The installed command, and `python -m helm_wandb`; see helm_wandb/cli.py."""

import sys

from helm_wandb.system import signals


def command() -> int:
    """Return the exit code of the command."""
    signals.install()
    # Imported here: a signal must end the run during the imports too.
    from pathlib import Path  # noqa: PLC0415

    from helm_wandb import cli  # noqa: PLC0415

    return cli.main(sys.argv[1:], root=Path(__file__).parent)


if __name__ == "__main__":
    sys.exit(command())

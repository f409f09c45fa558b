"""The installed command, and `python -m helm_wandb`; see helm_wandb/cli.py."""

import sys

from helm_wandb.system import start


def command() -> int:
    """Return the exit code of the command."""
    cli = start.load("helm_wandb.cli")
    # Imported here: a signal must end the run during the imports too.
    from pathlib import Path  # noqa: PLC0415

    program = Path(sys.argv[0]).name
    name = start.call("-m", "helm_wandb") if program == "__main__.py" else program
    exit_code: int = cli.main(sys.argv[1:], root=Path(__file__).parent, command=name)
    return exit_code


if __name__ == "__main__":
    sys.exit(command())

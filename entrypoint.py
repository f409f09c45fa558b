"""The action's entry; see helm_wandb/action.py."""

import os
import sys

from helm_wandb.system import signals

if __name__ == "__main__":
    signals.install()
    # Imported here: a signal must end the run during the imports too.
    from pathlib import Path

    from helm_wandb import action

    sys.exit(action.main(os.environ, root=Path(__file__).resolve().parent))

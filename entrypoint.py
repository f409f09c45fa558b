"""The action's entry; see helm_wandb/action.py."""

import os
import sys

from helm_wandb.system import start

if __name__ == "__main__":
    action = start.load("helm_wandb.action")
    from pathlib import Path

    sys.exit(action.main(os.environ, root=Path(__file__).resolve().parent))

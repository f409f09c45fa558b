"""The action's entry; see helm_wandb/action.py."""

import os
import sys
from pathlib import Path

from helm_wandb import action

if __name__ == "__main__":
    sys.exit(action.main(os.environ, root=Path(__file__).resolve().parent))

#!/bin/sh
# Installs a release of Inspect, the newest by default, into a throw-away environment. Its mockllm
# answers invented questions twice, offline, in both formats of logs, and this project compares them.
# It needs a package index and takes some minutes, so no test runs it:
#   tests/interop/inspect.sh [inspect-ai==0.3.285]
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
helm_wandb() { "$root/.venv/bin/python" "$root/wandb_writer.py" "$@"; }

python3 -m venv harness
harness/bin/pip install --quiet "${1:-inspect-ai}"
cat > evaluate.py << 'END'
import random
import sys

import tiktoken


class Words:
    """Counts words: Inspect would fetch a vocabulary, also for mockllm."""

    def encode(self, text, **_):
        return text.split()


tiktoken.get_encoding = lambda name: Words()

from inspect_ai import Epochs, Task, eval, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import ModelOutput, get_model
from inspect_ai.scorer import accuracy, match, stderr
from inspect_ai.solver import generate

side, log_format = sys.argv[1:]
samples = [
    Sample(
        id=number,
        input=f"Story {number // 4}. What is {number} + 1?",
        target=str(number + 1),
        metadata={"story": number // 4},
    )
    for number in range(100)
]


@task
def sums():
    return Task(
        dataset=MemoryDataset(samples, name="sums"),
        solver=generate(),
        scorer=match(numeric=True),
        metrics=[accuracy(), stderr(cluster="story")],
        epochs=Epochs(2, "mean"),
    )


draw = random.Random(side)
outputs = [
    ModelOutput.from_content(
        "mockllm/model", str(int(sample.target) if draw.random() < 0.7 else 0)
    )
    for _ in range(2)
    for sample in samples
]
model = get_model("mockllm/model", custom_outputs=outputs)
(log,) = eval(sums(), model=model, log_dir=side, log_format=log_format, display="none", max_samples=1)
assert log.status == "success", log.error
END

for side in before after; do
  log_format='eval'
  if [ "$side" = after ]; then log_format='json'; fi
  harness/bin/python evaluate.py "$side" "$log_format" > "$side.log" 2>&1 || { cat "$side.log"; exit 1; }
  helm_wandb init "$side" --output "$side.yaml"
done
helm_wandb --config before.yaml --print-only --quiet --report before.json
helm_wandb --config after.yaml --print-only --baseline before.json --report after.json
"$root/.venv/bin/python" - << END
import json
from pathlib import Path

(delta,) = json.loads(Path("after.json").read_text())["comparisons"][0]["deltas"]
(path,) = Path("after").iterdir()
log = json.loads(path.read_text())
(score,) = log["results"]["scores"]
assert score["metrics"]["accuracy"]["value"] == delta["candidate"], "not Inspect's own number"
assert (delta["n"], delta["clusters"]) == (100, 25), "not all questions are paired, by story"
print("Inspect", log["eval"]["packages"]["inspect_ai"], "is read: 100 questions are paired")
END

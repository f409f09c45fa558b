#!/bin/sh
# Installs a release of lm-eval, the newest by default, into a throw-away environment. Its dummy
# model answers invented questions with three seeds on each side, offline, and this project compares
# their means.
# It needs a package index and takes some minutes, so no test runs it:
#   tests/interop/lm_eval.sh [lm-eval==0.4.13]
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
helm_wandb() { "$root/.venv/bin/python" "$root/wandb_writer.py" "$@"; }

python3 -m venv harness
harness/bin/pip install --quiet "${1:-lm-eval}"
mkdir tasks
for number in $(seq 0 99); do
  printf '{"passage": "Passage %d.", "question": "Is %d even?", "answer": %d}\n' \
    $((number / 4)) "$number" $(((number + 1) % 2))
done > questions.jsonl
for name in first second; do
  cat > "tasks/$name.yaml" << END
task: $name
dataset_path: json
dataset_kwargs: {data_files: {test: questions.jsonl}}
output_type: multiple_choice
test_split: test
doc_to_text: "{{passage}} {{question}}"
doc_to_choice: ["no", "yes"]
doc_to_target: answer
metric_list: [{metric: acc, aggregation: mean, higher_is_better: true}]
END
done
cat > tasks/both.yaml << END
group: both
task: [first, second]
aggregate_metric_list: [{metric: acc, weight_by_size: true}]
END

for side in before after; do
  for run in 1 2 3; do
    HF_HUB_OFFLINE=1 HF_DATASETS_OFFLINE=1 harness/bin/lm_eval run --model dummy \
      --model_args pretrained=acme/toy --include_path tasks --tasks both --log_samples \
      --output_path "$side-$run" --seed "${#side}$run" > run.log 2>&1 || { cat run.log; exit 1; }
  done
  helm_wandb init "$side-1" --output "$side.yaml"
  sed -i "s|^    lm_eval_output_dir: .*|&\n    repeats: [\"$side-*\"]|" "$side.yaml"
done
helm_wandb --config before.yaml --print-only --quiet --report before.json
helm_wandb --config after.yaml --print-only --baseline before.json --report after.json
"$root/.venv/bin/python" - << END
import json
from pathlib import Path

(delta,) = json.loads(Path("after.json").read_text())["comparisons"][0]["deltas"]
runs = [json.loads(path.read_text()) for path in Path().rglob("after-*/*/results_*.json")]
mean = sum(run["results"]["both"]["acc,none"] for run in runs) / 3
assert abs(mean - delta["candidate"]) < 1e-12, "not the mean of lm-eval's own numbers"
assert delta["n"] == 200, "not all questions are paired"
assert delta["runs"] == [3, 3], "not all seeds are averaged"
print("lm-eval", runs[0]["lm_eval_version"], "is read: 200 questions of 3 seeds are paired")
END

"""Output of lm-eval, real and made up."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from helm_wandb.sources.lm_eval.entry import LmEval
from helm_wandb.sources.lm_eval.reader import read
from tests.harness_builders import read_entry, spec_of, unpack

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from helm_wandb.model import Evaluation, Reading

TIME = "2026-01-01T10-00-00.000000"


def unpack_lm_eval(folder: Path) -> Path:
    """Unpack every tree of real output into the folder, under its own name."""
    return unpack("lm_eval", folder)


def spec(output: str | Path, **changes: Any) -> LmEval:
    """An entry that reads an output."""
    return spec_of(LmEval, output, **changes)


def read_output(output: str | Path, folder: Path, **options: Any) -> Reading:
    """Return the reading of an output; options: as `read_entry` has them."""
    return read_entry(read, LmEval, output, folder, **options)


def read_one(output: str | Path, folder: Path, **options: Any) -> Evaluation:
    """Return the only evaluation of an output."""
    (evaluation,) = read_output(output, folder, **options).evaluations
    return evaluation


def write_run(  # noqa: PLR0913 -- each argument is a field that some test is about
    folder: Path,
    tasks: Mapping[str, Sequence[Any]],
    *,
    model: str | None = "acme/toy",
    time: str = TIME,
    has_samples: bool = True,
    change: Callable[[dict[str, Any]], object] = lambda _: None,
    change_sample: Callable[[dict[str, Any]], object] = lambda _: None,
) -> Path:
    """Write the results of a run and its samples into the folder; return the results file.

    tasks: task → the accuracy of each of its questions.
    change, change_sample: alter the results, and each sample, before they are written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    counts = {
        task: {"original": len(values), "effective": len(values)} for task, values in tasks.items()
    }
    results: dict[str, Any] = {
        "results": {
            task: {"alias": task, "acc,none": sum(values) / len(values), "acc_stderr,none": "N/A"}
            for task, values in tasks.items()
        },
        "group_subtasks": {},
        "configs": {
            task: {"task": task, "output_type": "multiple_choice", "metadata": {"version": 1}}
            for task in tasks
        },
        "versions": dict.fromkeys(tasks, 1),
        "n-shot": dict.fromkeys(tasks, 0),
        "higher_is_better": {task: {"acc": True} for task in tasks},
        "n-samples": counts,
        "config": {
            "model": "hf",
            "model_args": None if model is None else {"pretrained": model},
            "limit": None,
            "fewshot_seed": 1234,
        },
        "lm_eval_version": "0.4.13",
        "model_name": model or "x3k9q1zz",
    }
    change(results)
    path = folder / f"results_{time}.json"
    path.write_text(json.dumps(results))
    for task, values in tasks.items() if has_samples else ():
        lines = [sample(number, value) for number, value in enumerate(values)]
        for line in lines:
            change_sample(line)
        text = "".join(f"{json.dumps(line)}\n" for line in lines)
        (folder / f"samples_{task}_{time}.jsonl").write_text(text)
    return path


def sample(number: int, value: object) -> dict[str, Any]:
    """Return a line of a samples file: a question with two options."""
    question = f"Passage {number // 4}. Is {number} an even number?\nAnswer:"
    answer, other = ("-0.5", "-1.5") if value else ("-1.5", "-0.5")
    likelihoods = [[answer, "False"], [other, "False"]]
    right = number % 2
    return {
        "doc_id": number,
        "doc": {"passage": f"Passage {number // 4}.", "author": {"name": number % 3}},
        "target": str(right),
        "arguments": {
            f"gen_args_{at}": {"arg_0": question, "arg_1": f" {option}"}
            for at, option in enumerate(("yes", "no"))
        },
        "resps": [[one] for one in likelihoods],
        "filtered_resps": likelihoods[::-1] if right else likelihoods,
        "filter": "none",
        "metrics": ["acc"],
        "doc_hash": hashlib.sha256(str(number).encode()).hexdigest(),
        "prompt_hash": hashlib.sha256(question.encode()).hexdigest(),
        "target_hash": hashlib.sha256(str(right).encode()).hexdigest(),
        "acc": value,
    }

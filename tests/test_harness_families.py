"""Which model ids belong together, at which iteration, under which name."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helm_wandb.errors import ConfigError
from helm_wandb.harness.families import Checkpoint, assign

from .test_sources_helm import spec


def assigned(ids: list[str], **changes: Any) -> dict[str, tuple[str, int | None]]:
    """Id → (name, iteration)."""
    found = assign(ids, spec("output", "suite", **changes))
    return {model: (one.family, one.iteration) for model, one in found.items()}


@pytest.mark.parametrize(
    ("model", "family", "iteration"),
    [
        ("mymodel/proj-llama/1000", "mymodel/proj-llama", 1000),
        ("proj-llama/1000", "proj-llama", 1000),
        ("mymodel/ckpt_1000", "mymodel", 1000),
        ("org/llama-step-250", "org/llama", 250),
        ("org/llama_step250", "org/llama", 250),
        ("org/llama/step/250", "org/llama", 250),
        ("org/llama-iter0000100", "org/llama", 100),
        ("org/llama-iteration-7", "org/llama", 7),
        ("org/llama-checkpoint_9", "org/llama", 9),
        ("org/llama_EPOCH-3", "org/llama", 3),
        ("org/llama-global_step500", "org/llama", 500),
        ("step-100", "step", 100),
        ("EleutherAI/pythia-70m@step1000", "EleutherAI/pythia-70m", 1000),
        ("org/llama@ckpt-7", "org/llama", 7),
        ("org/llama@250", "org/llama", 250),
        ("ai/OLMo@step1000-tokens4B", "ai/OLMo", 1000),
        ("ai/OLMo@stage1-step1000-tokens1.5T", "ai/OLMo@stage1", 1000),
        ("ai/OLMo@step1000-tokensB", "ai/OLMo@step1000-tokensB", None),
        ("org/llama@main", "org/llama@main", None),
        ("org/llama@v2", "org/llama@v2", None),
        ("gpt-4-0314", "gpt-4-0314", None),
        ("mini_3", "mini_3", None),
        ("stepfun/step-1-8k", "stepfun/step-1-8k", None),
        ("org/footstep3", "org/footstep3", None),
        ("org/llama-7b", "org/llama-7b", None),
        ("toyorg/delta_v2", "toyorg/delta_v2", None),
        ("llama/99999999999999999999", "llama/99999999999999999999", None),
        ("llama/١٢", "llama/١٢", None),
        ("7", "7", None),
        ("", "", None),
    ],
)
def test_iteration_of_an_id(model: str, family: str, iteration: int | None) -> None:
    """A trailing /N or marker word with a number is the iteration; anything else is the name."""
    assert {model: (family, iteration)} == assigned([model])


def test_pattern_goes_before_the_built_in_rules() -> None:
    """What iteration_pattern matches is the iteration; an id it does not match has none."""
    assert {"org/m-t12-sft/5": ("org/m-sft/5", 12), "org/m": ("org/m", None)} == assigned(
        ["org/m-t12-sft/5", "org/m"], iteration_pattern=r"-t(\d+)"
    )


@pytest.mark.parametrize(
    ("model", "pattern", "family"),
    [
        ("ai/OLMo@stage1-step1000-tokens294B", r"step(\d+)-tokens", "ai/OLMo@stage1-294B"),
        ("ai/OLMo@stage1-step1000-tokens294B", r"-step(\d+)-tokens\d+B", "ai/OLMo@stage1"),
        ("org/step-1000-chat", r"step-(\d+)", "org/chat"),
        ("org/a1000b", r"(\d+)", "org/a-b"),
        ("1000-chat", r"(\d+)-", "chat"),
    ],
)
def test_a_pattern_in_the_middle_keeps_both_sides_apart(
    model: str, pattern: str, family: str
) -> None:
    """One separator stays between what stands before and after the match."""
    assert {model: (family, 1000)} == assigned([model], iteration_pattern=pattern)


@pytest.mark.parametrize("pattern", [None, r"-step(\d+)-tokens\d+B"])
def test_tokens_after_an_iteration_vary_with_it(pattern: str | None) -> None:
    """Revisions that also say how many tokens were seen are one curve for each stage."""
    ids = [f"ai/OLMo@stage{stage}-step{n}000-tokens{n * 4}B" for stage in (1, 2) for n in (1, 2)]

    assert {("ai/OLMo@stage1", 1000), ("ai/OLMo@stage2", 2000)} <= set(
        assigned(ids, iteration_pattern=pattern).values()
    )


def test_pattern_that_catches_no_number_is_a_config_error() -> None:
    """A group that caught text is reported with the text and the id."""
    with pytest.raises(ConfigError, match="its group caught 'abc' in 'm-abc', which is not a"):
        assigned(["m-abc"], iteration_pattern="m-(.*)")


def test_bare_numbers_count_only_when_the_config_names_the_model() -> None:
    """`toy_1000` and `toy_2000` are one curve if model_name says it is one model."""
    ids = ["toy_1000", "toy_2000"]

    assert {"toy_1000": ("x", 1000), "toy_2000": ("x", 2000)} == assigned(ids, model_name="x")
    assert {"toy_1000": ("toy_1000", None), "toy_2000": ("toy_2000", None)} == assigned(ids)


@pytest.mark.parametrize(
    "ids",
    [["gpt-4-0314", "gpt-3-0613"], ["gpt-4-0314", "gpt-4_0613"], ["gpt-4-0314", "gpt-4-turbo"]],
)
def test_bare_numbers_after_different_names_are_names(ids: list[str]) -> None:
    """Bare numbers count only if all ids share what stands before them."""
    with pytest.raises(ConfigError, match="the output holds several models and none is called"):
        assigned(ids, model_name="x")


def test_one_bare_number_is_a_name() -> None:
    """A single id with a trailing number is a model of that name."""
    assert {"mini_3": ("x", None)} == assigned(["mini_3"], model_name="x")


def test_bare_numbers_are_names_where_helm_model_is_given() -> None:
    """With helm_model, `gpt-4-0314` is matched as a model and not as a checkpoint."""
    ids = ["gpt-4-0314", "gpt-4-0613"]

    assert {"gpt-4-0613": ("x", None)} == assigned(ids, model_name="x", model_glob="*0613")


def test_one_family_is_recorded_under_the_name_given() -> None:
    """All checkpoints of the only family get model_name."""
    assert {"m/1": ("x", 1), "m/2": ("x", 2)} == assigned(["m/1", "m/2"], model_name="x")


def test_the_family_called_like_the_model_is_taken() -> None:
    """Of several families, model_name alone takes the one that has that name."""
    assert {"b/1": ("b", 1)} == assigned(["a/1", "b/1"], model_name="b")


def test_several_families_without_a_name_keep_their_own() -> None:
    """Without model_name each family is recorded under its own name."""
    assert {"a/1": ("a", 1), "b/1": ("b", 1)} == assigned(["a/1", "b/1"])


def test_glob_says_which_family_is_meant() -> None:
    """helm_model matches ids or the family's name; the match is recorded under model_name."""
    for glob in ("org/b*", "org/b", "org/b/1"):
        assert {"org/b/1": ("x", 1)} == assigned(
            ["org/a/1", "org/b/1"], model_name="x", model_glob=glob
        )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"model_name": "x"},
            (
                "$.evals[0].model_name: the output holds several models and none is called 'x': "
                "'a', 'b'. If these are its checkpoints, set iteration_pattern to find the "
                "iteration in their ids; else set helm_model to the one that is meant, or leave "
                "model_name out to record each under its own name"
            ),
        ),
        (
            {"model_name": "x", "model_glob": "*"},
            (
                "$.evals[0].helm_model: '*' matches several models, which cannot all be 'x': 'a', "
                "'b'. Match one of them, or leave model_name out to record each under its own name"
            ),
        ),
        (
            {"model_glob": "c"},
            "$.evals[0].helm_model: 'c' matches no model of the output: 'a', 'b'",
        ),
    ],
)
def test_ambiguous_families_are_listed(changes: dict[str, str], message: str) -> None:
    """If the entry does not say which model it means, the families are listed, exit 2."""
    with pytest.raises(ConfigError) as raised:
        assigned(["a/1", "b/1"], **changes)

    assert (f"config.yaml:3:5: {message}", 2) == (str(raised.value), raised.value.exit_code)


def test_two_ids_never_make_one_point() -> None:
    """Two ids at one iteration of one family are refused."""
    with pytest.raises(
        ConfigError, match="'m/step-05', 'm/step-5' would all be iteration 5 of 'm'"
    ):
        assigned(["m/step-5", "m/step-05"])


def test_ids_that_differ_in_more_than_the_number_are_separate_families() -> None:
    """A step and an epoch are no two iterations of one curve, and neither is the final model."""
    assert {"m/epoch-3": ("m/epoch", 3), "m/step-5": ("m/step", 5), "m": ("m", None)} == assigned(
        ["m/epoch-3", "m/step-5", "m"]
    )


def test_a_pattern_over_the_models_name_does_not_merge_models() -> None:
    """What the pattern matches around its group still separates the models."""
    assert {"org/alpha-1": ("org/alpha", 1), "org/beta-2": ("org/beta", 2)} == assigned(
        ["org/alpha-1", "org/beta-2"], iteration_pattern="[a-z]+-([0-9]+)$"
    )


def test_a_pattern_over_the_whole_id_makes_one_curve() -> None:
    """A pattern that matches the whole id is as good as one that matches its end."""
    assert {"m-step-1": ("m-step", 1), "m-step-2": ("m-step", 2)} == assigned(
        ["m-step-1", "m-step-2"], iteration_pattern=".*step-([0-9]+)"
    )


@given(st.lists(st.text(alphabet="ab/-_09ckpt", min_size=1), min_size=1, unique=True))
def test_no_two_ids_share_a_name_and_iteration(ids: list[str]) -> None:
    """Whatever the ids, each is recorded as its own point, or the entry is refused."""
    try:
        found = assign(ids, spec("output", "suite"))
    except ConfigError:
        return

    points = [Checkpoint(one.family, one.iteration or 0) for one in found.values()]
    assert len(set(points)) == len(ids)

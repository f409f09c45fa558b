"""The action's inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from helm_wandb.comparing.gate import GatePolicy
from helm_wandb.errors import InputError
from helm_wandb.runner.inputs import INPUTS
from helm_wandb.runner.settings import Settings, find_secrets
from tests.builders import INPUT_DEFAULTS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

NOTHING: Mapping[str, str] = {}
KEY = "0123456789abcdef" * 2 + "01234567"
"""As long as a key must be."""
SHORT = "5ecret"


def settings(environ: Mapping[str, str] = NOTHING, /, **inputs: str) -> Settings:
    """Settings of inputs, whose hyphens are underscores here."""
    given = {"config": "config.yaml", **inputs}
    variables = {f"INPUT_{name.replace('_', '-').upper()}": value for name, value in given.items()}
    return Settings.from_environ({**variables, **environ})


def problems(environ: Mapping[str, str] = NOTHING, /, **inputs: str) -> list[str]:
    """The problems of wrong inputs."""
    with pytest.raises(InputError) as caught:
        settings(environ, **inputs)
    assert caught.value.exit_code == 2
    return str(caught.value).splitlines()


def test_config_is_all_that_must_be_given() -> None:
    """With the config only, everything else has its default."""
    given = settings()

    assert given == Settings(
        config="config.yaml",
        wandb_api_key=None,
        wandb_base_url=None,
        wandb_model_artifact=None,
        wandb_view=False,
        github_token=None,
        print_only="auto",
        summary_only=False,
        comment="update",
        comment_key=None,
        baseline="auto",
        baseline_artifact="helm-wandb-report",
        on_missing_baseline="warn",
        fail_on="never",
        accept_label=None,
        on_sink_error="fail",
        report="helm-wandb-report.json",
        html=None,
        badge=None,
        from_report=None,
    )
    assert (True, True, GatePolicy()) == (
        given.is_print_only,
        given.sink_errors_fail,
        given.gate,
    )


def test_every_input_is_taken() -> None:
    """Each input that this version knows what to do with changes a setting."""
    given = settings(
        config="other.yaml",
        wandb_api_key=KEY,
        wandb_base_url="https://wandb.example",
        wandb_model_artifact="Acme/llm/My model:v3",
        wandb_view="true",
        github_token="token",  # noqa: S106 -- nobody's
        print_only="false",
        summary_only="true",
        on_sink_error="warn",
        report="out/report.json",
        html="out/report.html",
        badge="out/badge.json",
        comment="On-Change",
        comment_key="Job 1",
        baseline="Main/Base.json",
        baseline_artifact="Nightly report",
        on_missing_baseline="fail",
        fail_on="regression",
        accept_label="Accepted, once",
    )

    assert given == Settings(
        config="other.yaml",
        wandb_api_key=KEY,
        wandb_base_url="https://wandb.example",
        wandb_model_artifact="Acme/llm/My model:v3",
        wandb_view=True,
        github_token="token",  # noqa: S106 -- nobody's
        print_only="false",
        summary_only=True,
        comment="on-change",
        comment_key="Job 1",
        baseline="Main/Base.json",
        baseline_artifact="Nightly report",
        on_missing_baseline="fail",
        fail_on="regression",
        accept_label="Accepted, once",
        on_sink_error="warn",
        report="out/report.json",
        html="out/report.html",
        badge="out/badge.json",
        from_report=None,
    )
    assert (False, False) == (given.is_print_only, given.sink_errors_fail)
    assert given.gate == GatePolicy(
        on_regression=True, on_missing_baseline=True, accept_label="Accepted, once"
    )


@pytest.mark.parametrize("blank", ["", " ", "\n", "\t "])
@pytest.mark.parametrize("name", sorted(INPUT_DEFAULTS.keys() - {"config"}))
def test_blank_input_is_its_default(name: str, blank: str) -> None:
    """An input of an unset expression arrives blank, and is as if it were not given."""
    assert settings() == settings(**{name.replace("-", "_"): blank})


def test_inputs_are_trimmed() -> None:
    """The line end that a YAML block leaves is no part of a path."""
    given = settings(config=" config.yaml\n", report="report.json\n")

    assert ("config.yaml", "report.json") == (given.config, given.report)


@pytest.mark.parametrize("value", ["true", "TRUE", "True", " true "])
def test_booleans_have_any_case(value: str) -> None:
    """YAML's True and TRUE are true."""
    assert settings(summary_only=value).summary_only
    assert settings({"WANDB_API_KEY": KEY}, print_only=value).is_print_only


@pytest.mark.parametrize(
    "given", [{"baseline": "NONE"}, {"fail_on": "Regression"}, {"comment": "OFF"}]
)
def test_choices_have_any_case(given: dict[str, str]) -> None:
    """Every choice may be written in upper case."""
    lower = {name: value.lower() for name, value in given.items()}

    assert settings(**lower) == settings(**given) != settings()


@pytest.mark.parametrize("key", ["", " ", KEY])
@pytest.mark.parametrize("place", ["input", "environment"])
@pytest.mark.parametrize("print_only", ["auto", "true"])
def test_print_only_follows_the_key(print_only: str, place: str, key: str) -> None:
    """`auto` writes to W&B where there is a key, `true` never; a blank key is none."""
    if place == "input":
        given = settings(print_only=print_only, wandb_api_key=key)
    else:
        given = settings({"WANDB_API_KEY": key}, print_only=print_only)

    assert given.is_print_only == (print_only == "true" or not key.strip())


@pytest.mark.parametrize("key", ["", "  "])
def test_print_only_false_needs_a_key(key: str) -> None:
    """If W&B must be written, the error about a missing key says how to give it."""
    (problem,) = problems({"WANDB_API_KEY": key}, print_only="false")

    assert "false needs a W&B key" in problem
    assert "wandb-api-key: ${{ secrets.WANDB_API_KEY }}" in problem


def test_print_only_false_takes_the_key_of_the_environment() -> None:
    """A key in WANDB_API_KEY is as good as the input."""
    assert not settings({"WANDB_API_KEY": KEY}, print_only="false").is_print_only


def test_every_wrong_input_is_reported_at_once() -> None:
    """One run names all that is wrong, each with what would be right."""
    messages = problems(
        config="",
        print_only="yes",
        summary_only="1",
        comment="never",
        html="../page.html",
        on_missing_baseline="ignore",
        fail_on="always",
        on_sink_error="ignore",
    )

    assert messages == [
        "input print-only: invalid value 'yes'; use one of auto, true, false",
        "input summary-only: invalid value '1'; use one of true, false",
        (
            "input comment: invalid value 'never'; use one of update, recreate, on-change, "
            "on-regression, off"
        ),
        "input on-missing-baseline: invalid value 'ignore'; use one of warn, fail",
        "input fail-on: invalid value 'always'; use one of never, regression",
        "input on-sink-error: invalid value 'ignore'; use one of fail, warn",
        "input html: '../page.html' leaves the workspace; give a path relative to it",
        "input config: give the path of the YAML config, relative to the workspace",
    ]


def test_a_published_report_needs_no_config() -> None:
    """from-report is enough, and writes nothing to W&B, with a key or without."""
    given = settings({"WANDB_API_KEY": KEY}, config="", from_report="theirs.json")

    assert (None, "theirs.json", True) == (given.config, given.from_report, given.is_print_only)


def test_a_published_report_is_never_recorded() -> None:
    """If W&B must be written, a stranger's report is refused."""
    (problem,) = problems({"WANDB_API_KEY": KEY}, from_report="theirs.json", print_only="false")

    assert "input from-report: a report of an untrusted run is never written to W&B" in problem


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        ({"html": "./out//x.json", "report": "out/x.json"}, "html: it is the path of report"),
        ({"report": "config.yaml"}, "report: it is the path of config"),
        ({"html": "./config.yaml"}, "html: it is the path of config"),
        ({"badge": "b.json", "report": "b.json"}, "badge: it is the path of report"),
        ({"baseline": "base.json", "report": "base.json"}, "report: it is the path of baseline"),
        ({"from_report": "a.json", "report": "a.json"}, "report: it is the path of from-report"),
    ],
)
def test_nothing_is_written_over_what_was_read(inputs: dict[str, str], expected: str) -> None:
    """A file has one use: one would take the other's place."""
    (problem,) = problems(**inputs)

    assert f"input {expected}, too; give another one" == problem


def test_words_are_no_paths() -> None:
    """A report may be called as a baseline's word is."""
    assert "auto" == settings(report="auto", baseline="auto").report


def test_no_baseline_is_missing_where_none_is_wanted() -> None:
    """With baseline: none the gate is not about it."""
    assert not settings(baseline="none", on_missing_baseline="fail").gate.on_missing_baseline


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("Auto", "auto"),
        ("None", "none"),
        ("WandB", "wandb"),
        ("artifact", "artifact"),
        ("", "auto"),
        ("none.json", "none.json"),
        ("./Auto", "./Auto"),
        (" base.json\n", "base.json"),
        ("/github/workspace/base.json", "/github/workspace/base.json"),
    ],
)
def test_a_baseline_is_a_word_or_a_path(given: str, expected: str) -> None:
    """Words have any case, a path its own; `./` makes a path of a word."""
    assert expected == settings(baseline=given).baseline


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        ({}, GatePolicy()),
        ({"fail_on": "Regression"}, GatePolicy(on_regression=True)),
        ({"fail_on": "never"}, GatePolicy()),
        ({"on_missing_baseline": "FAIL"}, GatePolicy(on_missing_baseline=True)),
        ({"accept_label": " Fine by Me "}, GatePolicy(accept_label="Fine by Me")),
    ],
)
def test_the_gate_is_what_the_inputs_ask(inputs: dict[str, str], expected: GatePolicy) -> None:
    """Each input of the gate is in its policy, a label's name in its own case."""
    assert expected == settings(**inputs).gate


def test_no_secret_is_shown() -> None:
    """Neither key nor token are in the settings or in what is said of inputs."""
    given = settings(wandb_api_key=KEY, github_token=SHORT)
    messages = problems(wandb_api_key=SHORT, github_token=SHORT, print_only="yes")

    assert not [secret for secret in (KEY, SHORT) if secret in f"{given} {messages}"]


def test_the_key_is_the_inputs_then_the_environments() -> None:
    """The input goes before WANDB_API_KEY, and both arrive without the spaces around them."""
    other = KEY[::-1]

    assert KEY == settings({"WANDB_API_KEY": other}, wandb_api_key=f" {KEY}\n").wandb_api_key
    assert other == settings({"WANDB_API_KEY": f"\t{other} "}, wandb_api_key=" ").wandb_api_key


@pytest.mark.parametrize(
    ("key", "why"),
    [
        (SHORT, "it has 6 characters; keys have at least 40"),
        (f"{KEY} {KEY}", "it has characters other than a-z, A-Z, 0-9, _ and -"),
    ],
)
def test_a_wrong_key_is_reported_with_the_other_inputs(key: str, why: str) -> None:
    """A wrong key is reported with the problems of other inputs."""
    wrong, choice = sorted(problems(wandb_api_key=key, comment="never"), reverse=True)

    assert wrong.startswith(f"input wandb-api-key: this isn't a W&B key: {why}")
    assert choice.startswith("input comment: ")


def test_a_wrong_key_is_no_error_if_none_is_needed() -> None:
    """print-only: true reads evaluations, and lets the secret be what it is."""
    assert settings(wandb_api_key=SHORT, print_only="true").is_print_only


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, ()),
        ({"INPUT_WANDB-API-KEY": "  ", "WANDB_API_KEY": ""}, ()),
        ({"WANDB_API_KEY": " a b\n"}, ("a b",)),
        ({"INPUT_WANDB-API-KEY": "b", "WANDB_API_KEY": "a"}, ("b", "a")),
        ({"INPUT_WANDB-API-KEY": "a", "WANDB_API_KEY": "a"}, ("a",)),
        ({"WANDB_API_KEY": "a\nb"}, ("a\nb", "a", "b")),
        ({"HTTPS_PROXY": "http://u:p@proxy"}, ("p", "u:p")),
        ({"INPUT_CONFIG": "a"}, ()),
        ({"INPUT_CONFIG": KEY}, (KEY,)),
        ({"INPUT_COMMENT-KEY": KEY}, ()),
        ({"INPUT_COMMENT-KEY": f"local-{KEY}"}, (f"local-{KEY}",)),
        ({"INPUT_ACCEPT-LABEL": f"ghs_{KEY}"}, (f"ghs_{KEY}",)),
    ],
)
def test_secrets_are_all_keys_there_are(environ: dict[str, str], expected: tuple[str, ...]) -> None:
    """Right or wrong, used or not, also in the wrong input: a key is to be masked, and once."""
    assert expected == find_secrets({"NETRC": "/nowhere", **environ})


@pytest.mark.parametrize("name", [one.name for one in INPUTS if one.is_secret])
def test_each_secret_input_is_a_secret(name: str) -> None:
    """An input that the table marks as secret is masked and removed."""
    assert (SHORT,) == find_secrets({"NETRC": "/nowhere", f"INPUT_{name.upper()}": SHORT})


@pytest.mark.parametrize("name", [one.name for one in INPUTS if one.is_secret])
def test_settings_show_no_secret(name: str) -> None:
    """A traceback or a message that shows the settings shows no secret input."""
    assert KEY not in repr(settings(**{name.replace("-", "_"): KEY}))


def test_logins_are_secrets(tmp_path: Path) -> None:
    """The keys that `wandb login` left are secrets, of whatever server; other passwords aren't."""
    path = tmp_path / "netrc"
    path.write_text(f"machine a login user password {KEY}\nmachine b login me password hunter2\n")

    assert (KEY,) == find_secrets({"NETRC": str(path)})


@pytest.mark.parametrize(
    "name", ["assistant", "assistant:v3", "llm/assistant:v3", "acme/llm/assistant", "a/b/c/d:v3"]
)
def test_artifact_is_named_in_full(name: str) -> None:
    """Entity, project, name and alias: the message says the form."""
    environ = {"INPUT_CONFIG": "c.yaml", "INPUT_WANDB-MODEL-ARTIFACT": name}
    with pytest.raises(InputError) as caught:
        Settings.from_environ(environ)

    assert str(caught.value) == (
        f"input wandb-model-artifact: {name!r} isn't the name of an artifact; give "
        "entity/project/name:alias, such as acme/llm/assistant:v3"
    )


def test_a_password_in_the_url_is_refused_and_not_shown() -> None:
    """The URL would show in reports; the message says so without repeating the password."""
    environ = {"INPUT_CONFIG": "c.yaml", "INPUT_WANDB-BASE-URL": "https://user:s3cret@host"}
    with pytest.raises(InputError) as caught:
        Settings.from_environ(environ)

    assert str(caught.value) == (
        "input wandb-base-url: 'https://***@host' (with a user name or password: remove it) isn't "
        "the URL of a server, such as https://wandb.example.com"
    )

"""A checkout of a stranger's: nothing in it is run, and nothing in it steers the SDK."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.wandb_server import API_KEY, WandbServer

if TYPE_CHECKING:
    from tests.e2e.runner import Runner

MODULES = (
    *("json.py", "yaml.py", "wandb.py", "typing.py", "sitecustomize.py", "usercustomize.py"),
    *("helm_wandb/__init__.py", "helm_wandb/action.py", "wandb/__init__.py", "rich/__init__.py"),
)
MARK = "a module of the checkout was run"


@pytest.fixture
def trapped(runner: Runner) -> Runner:
    """A runner whose workspace and home hold modules that report when they are imported."""
    site = ".local/lib/python{}/site-packages"
    homes = [runner.home / site.format(version) for version in ("3.11", "3.12", "3.13", "3.14")]
    for folder in (runner.workspace, *homes):
        for name in MODULES:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"print({MARK!r}, __file__, flush=True)\n", encoding="utf-8")
    return runner


@pytest.mark.parametrize("environ", [{}, {"PYTHONPATH": ".", "PYTHONSTARTUP": "json.py"}])
def test_no_module_of_the_checkout_is_imported(trapped: Runner, environ: dict[str, str]) -> None:
    """Modules in the workspace and the home folder are not run, whatever PYTHONPATH says."""
    step = trapped.step(config="config.yaml", environ=environ)

    assert 0 == step.exit_code, step.log
    assert MARK not in step.log


@pytest.mark.enable_socket
@pytest.mark.parametrize("environ", [{}, {"PYTHONPATH": "."}])
def test_nor_by_the_sdks_process(trapped: Runner, environ: dict[str, str]) -> None:
    """The process that the W&B SDK lives in imports nothing from there either."""
    with WandbServer() as server:
        step = trapped.step(
            network="host",
            environ=environ,
            config="config.yaml",
            wandb_api_key=API_KEY,
            wandb_base_url=server.url,
        )

    assert 0 == step.exit_code, step.log
    assert MARK not in step.log
    assert 6 == len(server.runs("helm-evaluations"))


@pytest.mark.enable_socket
def test_settings_of_the_checkout_do_not_steer_the_sdk(runner: Runner) -> None:
    """A `wandb/settings` in the checkout, which the SDK would obey, sends nothing elsewhere."""
    settings = "[default]\nbase_url = http://127.0.0.1:9\nmode = disabled\nentity = stranger\n"
    (runner.workspace / "wandb").mkdir()
    (runner.workspace / "wandb/settings").write_text(settings, encoding="utf-8")
    with WandbServer() as server:
        step = runner.step(
            network="host",
            config="config.yaml",
            wandb_api_key=API_KEY,
            wandb_base_url=server.url,
        )

    assert 0 == step.exit_code, step.log
    assert 6 == len(server.runs("helm-evaluations"))


def test_names_of_the_checkout_give_the_runner_no_command(runner: Runner) -> None:
    """A model's name that is a workflow command is shown, and not obeyed."""
    name = "::error::planted"
    scores = (
        f"model_name: '{name}', token_num: 1, default_iteration: 1, eval_result: {{a: {{EM: 1}}}}"
    )
    text = f"project: p\nevals: [{{eval_type: helm, source: file, {scores}}}]\n"
    (runner.workspace / "named.yaml").write_text(text, encoding="utf-8")
    step = runner.step(config="named.yaml")

    assert [] == [one for one in step.annotations if "planted" == one.message]

"""What the image lacks of its packages: no run needs it, with or without faults."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from release import shrink
from tests.conftest import ROOT
from tests.github_builders import NAME, fill
from tests.github_server import TOKEN, GithubServer
from tests.wandb_builders import Desk, scores
from tests.wandb_server import WandbServer

if TYPE_CHECKING:
    from collections.abc import Sequence

MODULES = (
    *shrink.PACKAGES.values(),
    *(part.replace("/", ".") for part in shrink.PARTS if "." not in part and "bin/" not in part),
)
"""The names that nothing may import."""
_BLOCK = f"""
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if any(name == one or name.startswith(one + ".") for one in {MODULES!r}):
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Blocked())
"""


@pytest.fixture
def without(tmp_path: Path) -> str:
    """A folder by which each Python that has it in its path lacks those modules."""
    folder = tmp_path / "without"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(_BLOCK)
    return str(folder)


def python(code: str, path: str, *arguments: str) -> str:
    """What a program prints."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env={**os.environ, "PYTHONPATH": f"{path}:{ROOT}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert 0 == done.returncode, done.stderr
    return done.stdout.strip()


def image_imports() -> str:
    """The program of the Dockerfile that imports everything."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    program = text.partition('python -E -s -c "')[2].partition("rich.cells.cell_len")[0]
    return program.replace("\\\n", "\n")


def test_modules_that_the_image_lacks_are_blocked(without: str) -> None:
    """Otherwise the other tests would show nothing."""
    code = "import sys\ntry:\n import cryptography\nexcept ImportError: print('missing')"

    assert "missing" == python(code, without)


def test_all_that_runs_import_can_be_imported(without: str) -> None:
    """All of our modules, and the libraries that their functions import."""
    assert "import wandb.apis.public" in image_imports()
    assert "" == python(image_imports().replace("; ", "\n"), without)


_ASK = """
import sys
from helm_wandb.github_api.connection import Connection
from helm_wandb.text.redaction import Redactor
connection = Connection(
    token=sys.argv[1], redactor=Redactor(()), api_url=sys.argv[2], timeout_seconds=60
)
print(connection.send("GET", sys.argv[3]).status)
"""


@pytest.mark.enable_socket
def test_github_is_reached_with_a_token(without: str) -> None:
    """PyGithub needs no cryptography for it."""
    with GithubServer() as server:
        fill(server)
        assert "200" == python(_ASK, without, TOKEN, server.url, f"/repos/{NAME}")


FAULTS: Sequence[dict[str, Any]] = (
    {},
    {"match": "file_stream", "status": 500, "times": 1},
    {"match": "upload", "drop": True},
    {"match": "Viewer", "status": 401},
)


@pytest.mark.enable_socket
@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_runs_are_sent_or_kept(without: str, tmp_path: Path, fault: dict[str, Any]) -> None:
    """The SDK sends, retries and records offline without those modules."""
    with WandbServer() as server:
        desk = Desk(folder=tmp_path / "desk", base_url=server.url)
        desk.configure(scores("alpha", 1, mmlu=0.25), leaderboard=True)
        if fault:
            server.fault(**fault)
        done = desk.write(PYTHONPATH=without)
        fails = bool(fault) and "times" not in fault

        assert (5 if fails else 0) == done.exit_code, done.stderr
        assert "ModuleNotFoundError" not in done.stdout + done.stderr
        assert bool(desk.waiting()) == fails


_USE = """
import charset_normalizer, nacl.public, re2, rpds, xxhash, yaml
try:
    from backports import zstd
except ImportError:
    from compression import zstd
from google._upb import _message
box = nacl.public.SealedBox(nacl.public.PrivateKey(b"k" * 32))
print(box.decrypt(box.encrypt(b"text")), re2.search("a+", "baab")[0],
      xxhash.xxh3_64_hexdigest(b"x"), yaml.load("a: [1, 2.5]", Loader=yaml.CSafeLoader),
      rpds.HashTrieMap({1: 2})[1], zstd.decompress(zstd.compress(b"x" * 100)),
      charset_normalizer.from_bytes("ü".encode() * 50).best().encoding,
      _message.Message.__name__)
for one in (_message, nacl, re2, rpds, xxhash, yaml, charset_normalizer):
    print(one.__file__)
"""


def test_libraries_without_symbols_do_the_same(tmp_path: Path) -> None:
    """They are smaller, can be loaded, and compute the same."""
    saved = 0
    site_packages = Path(yaml.__file__).parents[1]
    for name in shrink.STRIPPED:
        # Python 3.14 has its own Zstandard.
        if name == "backports/zstd" and not (site_packages / name).exists():
            continue
        folder = tmp_path / name
        shutil.copytree(site_packages / name, folder)
        libraries = list(folder.glob("*.so"))
        assert [] != libraries
        for library in libraries:
            content = library.read_bytes()
            library.write_bytes(shrink.strip(content))
            saved += len(content) - library.stat().st_size

    usual, stripped = (python(_USE, str(path)).splitlines() for path in (ROOT, tmp_path))
    assert usual[0] == stripped[0]
    assert all(path.startswith(str(tmp_path)) for path in stripped[1:])
    assert saved > 5 << 20


@pytest.mark.parametrize("content", [b"", b"text", b"\x7fELF\x01\x01" + bytes(100)])
def test_other_files_stay_as_they_are(content: bytes) -> None:
    """What is no library of 64 bits is not changed."""
    assert content == shrink.strip(content)


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    """A folder of packages with all that is removed, and what is to stay."""
    for name, module in shrink.PACKAGES.items():
        (tmp_path / f"{name}-1.0.dist-info").mkdir()
        (tmp_path / module).mkdir()
    for part in (*shrink.PARTS, "wandb/bin/wandb-core", *("google/protobuf/x", "google/rpc/x")):
        (tmp_path / part).mkdir(parents=True)
    for part in ("wandb/a.py", "wandb/a.pyi", "wandb/tests/tests/a.py", "httpx2-1.0.dist-info"):
        (tmp_path / part).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / part).write_text("")
    return tmp_path


def test_only_what_is_named_is_removed(packages: Path) -> None:
    """The packages with their metadata, the parts, tests, headers and types."""
    shrink.main(packages)

    assert {
        *("google", "google/protobuf", "google/protobuf/x", "httpx2-1.0.dist-info", "pygments"),
        *("wandb", "wandb/a.py", "wandb/bin", "wandb/bin/wandb-core"),
    } == {str(path.relative_to(packages)) for path in packages.rglob("*")}


@pytest.mark.parametrize("part", ["cryptography", "wandb/bin/wandb-symon"])
def test_what_is_already_missing_stops_the_build(packages: Path, part: str) -> None:
    """A package that is gone from the lock, or has another form, is to be looked at again."""
    (packages / part).rmdir()

    with pytest.raises(FileNotFoundError):
        shrink.main(packages)

"""W&B's SDK in a separate process: used through a pipe, and ended when its time is up."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Event, Thread
from typing import Self, TypeVar, cast

from helm_wandb.runner import known_secrets
from helm_wandb.system import scratch as scratches
from helm_wandb.system import signals
from helm_wandb.system.scratch import Scratch
from helm_wandb.text.redaction import NO_SECRETS, Redactor
from helm_wandb.wandb_runs.sdk import faults, processes
from helm_wandb.wandb_runs.sdk.direct_reader import WAYS_OF_THE_SDK
from helm_wandb.wandb_runs.sdk.messages import Cause, Fault, RequestFor, ServiceError, WriteRuns

T = TypeVar("T")

_ROOT = Path(__file__).parents[3]
_BOOT = (
    f"import sys; sys.path.insert(0, {str(_ROOT)!r}); "
    "from helm_wandb.wandb_runs.sdk.worker import main; main(int(sys.argv[1]))"
)
MEMORY_BYTES = 2 << 30
"""The SDK takes 100 MB; a runner has 7 GB and more."""
_WATCH_SECONDS = 0.25
_DROPPED_VARIABLES = ("WANDB_", "INPUT_", "ACTIONS_", *known_secrets.VARIABLES)
"""Prefixes of variables that say what a run is, or hold a key or a token."""
_KEPT_VARIABLES = frozenset({"WANDB_ENTITY", *WAYS_OF_THE_SDK})
"""They say who the user is and how W&B is reached, not what a run is. All other variables of W&B
are kept from the SDK: a sweep's or a launch's would take away id and project, and one value that
is not valid stops it whatever its settings are."""


_PATH_VARIABLES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
"""They may be relative to the current folder, which is not the SDK's."""


class Service:
    """The process, from its start to its end. It keeps nothing outside of a temporary folder.

    Used in a `with` block, it is ended there, with all that it started.
    """

    def __init__(
        self, redactor: Redactor = NO_SECRETS, *, memory_bytes: int = MEMORY_BYTES
    ) -> None:
        """Nothing is started before the first question.

        redactor: removes secrets from all that the process answers.
        memory_bytes: what the process and the SDK's own service may take together.
        """
        self._redactor = redactor
        self._memory_bytes = memory_bytes
        self._process: subprocess.Popen[bytes] | None = None
        self._pipe: Connection | None = None
        self._scratch: Scratch | None = None

    def __enter__(self) -> Self:
        """The service itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the process at once; see `stop`."""
        self.kill()

    @property
    def running(self) -> bool:
        """Whether the process of the last request still runs."""
        return self._process is not None

    @property
    def scratch(self) -> Path:
        """A separate folder, for what nobody needs when the process has ended."""
        self.start()
        assert self._scratch is not None  # noqa: S101 -- started above
        return self._scratch.path

    def start(self) -> None:
        """Start the process if it does not run; it then loads the SDK by itself, in some 0.5 s.

        Raises ServiceError if no folder has room for it.
        """
        if self._process is not None:
            return
        try:
            self._scratch = scratches.create_with_room()
        except OSError as error:
            raise ServiceError(faults.disk_fault(error)) from error
        try:
            self._pipe = self._spawn(self._scratch)
        except OSError as error:
            self._scratch.remove()
            raise ServiceError(Fault(Cause.ENDED, str(error))) from error

    def _spawn(self, scratch: Scratch) -> Connection:
        pipe, other = Pipe()
        with signals.deferred(), other, (scratch.path / "output").open("wb") as output:
            self._process = subprocess.Popen(  # noqa: S603 -- our own program
                [sys.executable, *_flags(), "-c", _BOOT, str(other.fileno())],
                # It shares the lock of its folder, which nobody removes while it runs.
                pass_fds=[other.fileno(), scratch.lock],
                env=_environment(os.environ, str(scratch.path)),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
            signals.on_stop(self._abort)
        return pipe

    def ask(self, request: RequestFor[T], *, seconds: float) -> T:
        """Return the answer to the request.

        Raises ServiceError if W&B refuses, if no answer comes in time, or if the process ends
        before it; the process is then ended, and the next question starts another.
        """
        self.start()
        answer, has_ended = self._answer(request, seconds)
        recorded_in = [Path(request.folder)] if isinstance(request, WriteRuns) else []
        folders = [self.scratch, *recorded_in]
        answer = faults.blame_disk(faults.redact(answer, self._redactor), folders)
        if has_ended:
            self.kill()
        if isinstance(answer, Fault):
            raise ServiceError(answer)
        return cast("T", answer)

    def _answer(self, request: object, seconds: float) -> tuple[object, bool]:
        """Return the answer or a Fault, and whether the process has ended."""
        assert self._pipe is not None  # noqa: S101 -- started by who asks
        assert self._process is not None  # noqa: S101 -- as well
        answer, has_ended = None, False
        with _Watch(self._process.pid, seconds, self._memory_bytes) as watch:
            try:
                self._pipe.send(request)
                answer = self._pipe.recv()
            except (EOFError, OSError):
                answer, has_ended = Fault(Cause.ENDED, self._last_words()), True
        return (watch.fault, True) if watch.fault else (answer, has_ended)

    def stop(self, *, seconds: float) -> bool:
        """End the process, and return whether it had finished with its files in this time."""
        if self._process is None:
            return True
        if self._pipe:
            self._pipe.close()
        try:
            self._process.wait(max(0.0, seconds))
        except subprocess.TimeoutExpired:
            return False
        finally:
            self.kill()
        return True

    def kill(self) -> None:
        """End the process at once, and with it the SDK's own service: nothing more is sent."""
        if self._process is None:
            return
        if self._pipe:
            self._pipe.close()
        self._abort()
        self._process.wait()
        signals.forget(self._abort)
        if self._scratch:
            self._scratch.remove()
        self._process = self._pipe = self._scratch = None

    def _abort(self) -> None:
        """End the process, without the locks that interrupted code may hold."""
        if self._process:
            processes.end(self._process.pid)

    def _last_words(self) -> str:
        text = (self.scratch / "output").read_text(encoding="utf-8", errors="replace")
        return (text.strip().splitlines() or ["without a word"])[-1]


class _Watch(Thread):
    """Kills a process in a `with` block when its time is up, or when it takes too much memory.

    Also a large request, or half an answer, may wait for it. And W&B's answers can have any size,
    and shrink to a thousandth when they are packed: the SDK and its service hold them whole.
    """

    def __init__(self, process: int, seconds: float, memory_bytes: int) -> None:
        """memory_bytes: of the process and what it has started."""
        super().__init__(daemon=True)
        self.fault: Fault | None = None
        """Why it was killed."""
        self._process = process
        self._seconds = seconds
        self._memory_bytes = memory_bytes
        self._end = time.monotonic() + seconds
        self._is_over = Event()

    def __enter__(self) -> Self:
        """Begin."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Watch no more."""
        self._is_over.set()
        self.join()

    def run(self) -> None:
        """Look, and look again."""
        while not self._is_over.wait(max(0.0, min(_WATCH_SECONDS, self._end - time.monotonic()))):
            self.fault = self._excess()
            if self.fault:
                processes.kill(self._process)
                return

    def _excess(self) -> Fault | None:
        if time.monotonic() >= self._end:
            return Fault(Cause.NETWORK, f"no answer within {self._seconds:.0f} seconds")
        if processes.memory_bytes(self._process) > self._memory_bytes:
            size = f"{self._memory_bytes >> 20:,} MiB"
            return Fault(Cause.SIZE, f"its answers take more than {size} of memory")
        return None


def _flags() -> list[str]:
    """Python's options: the working folder is none of ours, and the rest as for this process."""
    inherited = {"-E": sys.flags.ignore_environment, "-s": sys.flags.no_user_site}
    return ["-P", *(flag for flag, is_set in inherited.items() if is_set)]


def _environment(environ: Mapping[str, str], scratch: str) -> dict[str, str]:
    """The variables that the SDK sees: none that describes a run, and no key."""
    kept = {
        name: str(Path(value).absolute()) if value and name in _PATH_VARIABLES else value
        for name, value in environ.items()
        if not name.startswith(_DROPPED_VARIABLES) or name in _KEPT_VARIABLES
    }
    # Go knows only the first, which the SDK's service is written in.
    trusted = kept.get("SSL_CERT_FILE") or kept.get("REQUESTS_CA_BUNDLE")
    return {
        **kept,
        **({"SSL_CERT_FILE": trusted} if trusted else {}),
        # Its socket and its temporary files, which it leaves behind if it is killed.
        "TMPDIR": scratch,
        "WANDB_CACHE_DIR": scratch,
        "WANDB_CONFIG_DIR": scratch,
        "WANDB_DATA_DIR": scratch,
        # The SDK makes a folder of each run that it reads.
        "WANDB_DIR": scratch,
        # Telemetry goes to a host that nobody chose, and takes a round trip a run at the end.
        "WANDB_ERROR_REPORTING": "false",
    }

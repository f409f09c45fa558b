# A release sets the base image by its digest.
ARG BASE_IMAGE=python:3.12-slim-bookworm
# The image that installs the packages. It differs from the base if pip needs settings that must
# not get into the final image, such as a proxy's certificate.
ARG BUILD_IMAGE=${BASE_IMAGE}

FROM ${BUILD_IMAGE} AS packages
COPY requirements/runtime.txt release/shrink.py /
RUN python -m venv --without-pip /opt/helm-wandb \
    && pip --python /opt/helm-wandb install --no-cache-dir --no-compile --only-binary :all: \
        --no-deps --require-hashes --requirement /runtime.txt \
    && pip --python /opt/helm-wandb check
# Without what no run needs. (The folder's name holds the version of Python.)
RUN python /shrink.py /opt/helm-wandb/lib/python*/site-packages

FROM ${BASE_IMAGE}
COPY --from=packages /opt/helm-wandb /opt/helm-wandb
COPY LICENSE entrypoint.py /app/
COPY schema /app/schema
COPY helm_wandb /app/helm_wandb
# Slim images have no byte code, and without it a start takes about 0.7 s longer. So what any run
# imports is imported once here: all our modules, and what their functions import. The SDK
# imports much of itself late. A test asserts that no run finds anything left to compile.
WORKDIR /app
RUN /opt/helm-wandb/bin/python -E -s -c "\
import compileall, importlib, pkgutil, helm_wandb; \
[importlib.import_module(name) for _, name, _ in pkgutil.walk_packages(helm_wandb.__path__, 'helm_wandb.')]; \
import github, jinja2.sandbox, jsonschema, re2, rich.cells, rich.progress, rich.table, tenacity; \
import wandb.apis.public; \
rich.cells.cell_len('–'); \
[compileall.compile_dir(wandb.__path__[0] + part, quiet=1, maxlevels=depth) \
 for part, depth in (('', 0), ('/apis', 9), ('/sdk', 9))]"

# A release adds version, revision and the base's digest.
LABEL org.opencontainers.image.title="helm-wandb-action" \
    org.opencontainers.image.description="HELM evaluations on every pull request: leaderboard, curves, W&B" \
    org.opencontainers.image.source="https://github.com/org/helm-wandb-action" \
    org.opencontainers.image.licenses="Apache-2.0"

# -E, -s, absolute, and no shell: the working folder and the home folder are the workflow's, and
# none of their modules may be imported. A shell would drop the inputs' variables with hyphens.
# No USER: the runner's command files belong to root.
ENTRYPOINT ["/opt/helm-wandb/bin/python", "-E", "-s", "-u", "/app/entrypoint.py"]

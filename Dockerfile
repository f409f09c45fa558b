ARG BASE_IMAGE=python:3.12-slim-bookworm
FROM ${BASE_IMAGE}

WORKDIR /app
COPY requirements/runtime.txt ./
RUN pip install --no-cache-dir --require-hashes --requirement runtime.txt
COPY entrypoint.py wandb_writer.py ./
COPY schema schema
COPY helm_wandb helm_wandb
RUN python -m compileall -q helm_wandb

# Absolute and without a shell: the working folder is the user's checkout, whose modules must
# not be imported, and a shell would drop the inputs' variables, which have hyphens.
# No USER: the runner's command files belong to root.
ENTRYPOINT ["python", "-E", "-u", "/app/entrypoint.py"]

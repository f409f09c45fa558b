#!/usr/bin/env bash
# base-image.sh: the Dockerfile's base image with the digest that its tag has now, NAME:TAG@sha256:…
#
# A release is built from one digest on all platforms, which its labels name. It is looked up when
# the release is made, and not kept in a file: so each release has the base image's latest fixes.
set -euo pipefail
name=$(sed -n 's/^ARG BASE_IMAGE=//p' Dockerfile)
# As JSON: some versions of buildx ignore a plain template.
digest=$(docker buildx imagetools inspect "$name" --format '{{json .Manifest.Digest}}' | tr -d '"')
if [[ ! $name@$digest =~ ^[a-z0-9./_-]+:[A-Za-z0-9._-]+@sha256:[0-9a-f]{64}$ ]]; then
    echo "Dockerfile: '$name@$digest' is no base image with a tag and a digest" >&2
    exit 1
fi
echo "$name@$digest"

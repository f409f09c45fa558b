#!/usr/bin/env bash
# tag.sh VERSION REFERENCE: commit action.yml with the image, tag it as vVERSION, move the major tag.
#
# The commit is not on the branch: main continues to build its Dockerfile. Both tags
# arrive or none. A version's tag is set once and never moved.
set -euo pipefail
version=$1
reference=$2
major=v${version%%.*}

if git ls-remote --exit-code --tags origin "refs/tags/v$version" >/dev/null; then
    echo "v$version is there already, and a release is never changed: take the next version" >&2
    exit 1
fi
python3 -m release.image "$reference"
git switch --quiet --detach
git commit --quiet --message "Release $version" action.yml
git tag --annotate --message "Release $version" "v$version"
git tag --annotate --force --message "Release $version" "$major"
git push --quiet --atomic origin "refs/tags/v$version" "+refs/tags/$major"
echo "v$version and $major are at $(git rev-parse HEAD)"

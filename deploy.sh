#!/usr/bin/env bash
# Deploys Nuclio bundles for CVAT: a thin front of `cvat-nuclio deploy`, which holds the logic.
#   ./deploy.sh [--gpu] [--platform local|kube] [--registry R] [--prebuilt] [--offline] [--parallel N]
#               [--env NAME=VALUE] [--build-arg NAME[=VALUE]] [--pip-index-url URL] [--force]
#               [--dry-run] [--status] [--delete] [--keep-serving] [--rollback] DIR...
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)

if [ -x "$here/.venv/bin/cvat-nuclio" ]; then
  exec "$here/.venv/bin/cvat-nuclio" deploy "$@"
fi
if command -v cvat-nuclio >/dev/null 2>&1; then
  exec cvat-nuclio deploy "$@"
fi
echo "deploy.sh: cvat-nuclio is not installed" >&2
if [ -f "$here/pyproject.toml" ]; then
  echo "  try: make -C \"$here\" .venv/.ready-demo" >&2
  echo "   or: pip install \"$here\"" >&2
else  # a copy that stands alone
  echo "  try: pip install cvat-nuclio, from where this deploy.sh came" >&2
fi
exit 2

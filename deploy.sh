#!/usr/bin/env bash
# Deploys Nuclio bundles for CVAT: a thin front of `cvat-nuclio deploy`, which holds the logic.
#   ./deploy.sh [--gpu] [--platform local|kube] [--registry R] [--prebuilt] [--offline] [--parallel N]
#               [--force] [--dry-run] [--status] [--delete] DIR...
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)

if [ -x "$here/.venv/bin/cvat-nuclio" ]; then
  exec "$here/.venv/bin/cvat-nuclio" deploy "$@"
fi
if command -v cvat-nuclio >/dev/null 2>&1; then
  exec cvat-nuclio deploy "$@"
fi
cat >&2 <<EOF
deploy.sh: cvat-nuclio is not installed
  try: make -C "$here" .venv/.ready
   or: pip install "$here"
EOF
exit 2

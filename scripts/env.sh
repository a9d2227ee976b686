# Sourced by every script: where builds and tools live. Outside the checkout, so that a fresh clone reuses them.
RIVULET_CACHE="${RIVULET_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/rivulet}"
export RIVULET_CACHE
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$RIVULET_CACHE/target}"
export PATH="$RIVULET_CACHE/tools/bin:$HOME/.cargo/bin:$PATH"
ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
export ROOT
# Clones that share a target folder share programs too: which checkout's bundles they take is said here, not where they were compiled.
export RIVULET_BUNDLES="${RIVULET_BUNDLES:-$ROOT/deployments/bundles}"
mkdir -p "$RIVULET_CACHE/logs"
# Half of the SDK stands on these: by a fresh clone's times all of that would be compiled again.
stand_ins="$ROOT/tests/node/stand-ins"
if git -C "$ROOT" diff --quiet HEAD -- "$stand_ins" 2>/dev/null; then find "$stand_ins" -type f -exec touch -d "@$(git -C "$ROOT" log -1 --format=%ct -- "$stand_ins")" {} +; fi

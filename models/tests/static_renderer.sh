#!/usr/bin/env bash
# Builds `bevrt` as one static file, checks that it is one, and trains a step on what it draws.
#
#   models/tests/static_renderer.sh
#
# Needs Rust, and a Python with the packages of models/pyproject.toml (PYTHON, default python3). PROFILE=dev builds
# faster. Nothing but the file and the manifest reaches the folder that the file runs in.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
python=${PYTHON:-python3} profile=${PROFILE:-release} target=$(rustc -vV | sed -n 's/^host: //p')
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

RUSTFLAGS="-C target-feature=+crt-static" cargo build --manifest-path "$root/Cargo.toml" \
    --profile "$profile" --package bevrt-cli --target "$target"
built=${CARGO_TARGET_DIR:-$root/target}/$target/${profile/dev/debug}/bevrt
cp "$built" "$root/models/packages/tiny/manifest.toml" "$folder"
if readelf --program-headers "$folder/bevrt" | grep -q INTERP; then
    echo "expected a static file, found one that asks for a loader: $built" >&2
    exit 1
fi

# With an empty environment: no variable leads it to a library.
cd "$folder"
env -i ./bevrt train-stream --manifest manifest.toml --drives 1 --messages 1 --drawn-larger 1 |
    PYTHONPATH="$root/models" "$python" -m bevrt_models train --out run --steps 1 --batch 1
"$python" - <<'END'
import json
line = json.loads(open("run/log.jsonl").readline())
assert line["step"] == 1 and line["samples"] == 1, line
END
if env -i ./bevrt doctor "$root/models/packages/tiny" 2>doctor.log || ! grep -q "linked statically" doctor.log; then
    echo "expected a refusal to load ONNX Runtime, found: $(cat doctor.log)" >&2
    exit 1
fi
echo "a static file streamed, and the trainer took a step"

#!/usr/bin/env bash
# Trains `tiny`, or the larger `base` with NETWORK=base. Without a GPU every core learns and draws; with one, all cores
# draw for it.
#
#   models/train.sh FOLDER MINUTES [options of `python -m bevrt_models train`]
#
# Goes on from FOLDER's checkpoint if there is one. Needs the `bevrt` command (BEVRT, default target/release/bevrt; it
# may be built elsewhere and copied here) and a Python with PyTorch and onnx (PYTHON, default python3).
# FIRST_SEED, 0 to 19999, is where each stream begins: another one on each run shows new drives.
set -euo pipefail
if (($# < 2)); then
    sed -n '2,9s/^# \{0,1\}//p' "$0"
    exit 2
fi
root=$(cd "$(dirname "$0")/.." && pwd)
folder=$1 minutes=$2
shift 2
bevrt=${BEVRT:-$root/target/release/bevrt} python=${PYTHON:-python3}
cores=$(nproc) # before OMP_NUM_THREADS is set: it would tell that instead
export PYTHONPATH=$root/models${PYTHONPATH:+:$PYTHONPATH} RAYON_NUM_THREADS=1 OMP_NUM_THREADS=1

# Every stream has its own seeds; every other one draws at twice the network's size, as full-size frames look reduced.
seeds_each=20000
first=${FIRST_SEED:-0}
manifest=$root/models/packages/tiny/manifest.toml
if [[ ${NETWORK:-tiny} != tiny ]]; then
    # What the network wants to be shown stands in the manifest of an untrained one.
    "$python" -m bevrt_models package random --network "$NETWORK" --out "$folder/untrained"
    manifest=$folder/untrained/manifest.toml
fi
stream="exec '$bevrt' train-stream --manifest '$manifest'"
stream+=" --drawn-larger \$((STREAM % 2 + 1))"
# One drive in five has the fisheye rig.
stream+=" --rig six-pinhole,six-pinhole,six-pinhole,six-pinhole,four-fisheye"
stream+=" --seeds \$((STREAM * $seeds_each + $first))..\$((STREAM * $seeds_each + $seeds_each))"

train=(-m bevrt_models train --network "${NETWORK:-tiny}" --out "$folder" --minutes "$minutes" --resume --stream-command "$stream")
if "$python" -c 'import sys, torch; sys.exit(not torch.cuda.is_available())'; then
    streams=$((cores > 3 ? cores - 2 : 1))
    # A step of 32 samples takes 32 drives of one rig.
    train[-1]+=" --drives 20"
    exec "$python" "${train[@]}" --device cuda --streams "$streams" --batch 32 --rate 4e-3 "$@"
fi
train[-1]+=" --drives 10"
exec "$python" -m torch.distributed.run --standalone --nproc-per-node "$cores" "${train[@]}" --batch 2 --rate 2.5e-3 "$@"

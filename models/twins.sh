#!/usr/bin/env bash
# Trains the merged network and its single-task twins on the same samples, for MERGE.md.
#
#   models/twins.sh FOLDER [STEPS]
#
# All start from the shipped `tiny`; each twin keeps one head and is trained on its task alone. The merged network and
# the twin of lanes are trained with two seeds. FOLDER gets the samples (3.4 MB each, four a step), the runs and their
# packages; what is there already is not made again. STEPS is 800 unless told. Needs what models/train.sh needs.
set -euo pipefail
if (($# < 1)); then
    sed -n '2,8s/^# \{0,1\}//p' "$0"
    exit 2
fi
root=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "$1"
folder=$(cd "$1" && pwd) steps=${2:-800}
bevrt=${BEVRT:-$root/target/release/bevrt} python=${PYTHON:-python3}
export PYTHONPATH=$root/models${PYTHONPATH:+:$PYTHONPATH} OMP_NUM_THREADS=1
start=$root/models/packages/tiny

# Two processes of two samples a step, one shown pictures drawn at the network's size, one at twice that.
record() {
    local stream=$1 samples=$folder/samples-$1.bin first
    [[ -e $samples ]] && return
    first=$((16500 + 20000 * stream))
    RAYON_NUM_THREADS=1 "$bevrt" train-stream --manifest "$start/manifest.toml" --drawn-larger $((stream + 1)) \
        --rig six-pinhole,six-pinhole,six-pinhole,six-pinhole,four-fisheye --drives 10 \
        --seeds $first..$((first + 3500)) --messages $((2 * steps + 200)) >"$samples.partial"
    mv "$samples.partial" "$samples"
}
record 0 &
record 1
wait $!

train() {
    local name=$1
    shift
    [[ -e $folder/$name/manifest.toml ]] && return
    "$python" -m torch.distributed.run --standalone --nproc-per-node 2 -m bevrt_models train --steps "$steps" \
        --out "$folder/runs/$name" --init-from "$start" --rate 1e-3 --batch 2 \
        --stream-command "exec cat '$folder/samples-'\$STREAM.bin" "$@"
    # Low thresholds: scores that are areas under a curve need the whole curve.
    local few='[0.05, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05]'
    printf '{"objects": %s, "lanes": [0.5, 0.5, 0.5, 0.5], "arrows": %s, "crosswalks": [0.05], "stop_lines": [0.05]}' \
        "${few//0.05/0.1}" "$few" >"$folder/thresholds.json"
    "$python" -m bevrt_models package "$folder/runs/$name/weights-fp16.npz" --out "$folder/$name" \
        --thresholds "$folder/thresholds.json"
}

train merged
for task in objects lanes arrows crosswalks stop_lines; do
    train "$task" --tasks "$task"
done
train merged-2 --seed 2
train lanes-2 --tasks lanes --seed 2

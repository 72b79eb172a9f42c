#!/usr/bin/env bash
# Measures Vitrine beside llama.cpp on a GPU machine without network, from what bench/pack_for_gpu_machine.sh collected.
#   bench/on_gpu_machine.sh [FOLDER]      FOLDER: .carry/bench
# Writes smollm2.json, llama-1.1b.json, olmoe-6.9b.json and bench.log to $OUT (default out/bench). Every step has a time limit; one that fails is reported
# and the next goes on; exit status 1 if any failed. REPETITIONS (20) and ROUNDS (3) set how often, PREFILL and DECODE how long,
# STEP_LIMIT (200) the seconds for one model, MODELS which of smollm2 llama-1.1b olmoe-6.9b.
set -uo pipefail
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
carried=${1:-$repository/.carry/bench}
out=${OUT:-$repository/out/bench}
work=${WORK:-/tmp/vitrine-bench}
settings=(--repetitions "${REPETITIONS:-20}" --rounds "${ROUNDS:-3}" --prefill "${PREFILL:-64,512}" --decode "${DECODE:-128}")
mkdir -p "$out" "$work"/{vitrine,llamacpp}
exec > >(tee "$out/bench.log") 2>&1

failed=0
step() { # SECONDS COMMAND...: runs it within the limit
  local limit=$1 started=$SECONDS status=0
  shift
  timeout -k 10 "$limit" "$@" || status=$?
  if [ $status -ne 0 ]; then
    failed=1
    echo "FAILED ($status) after $((SECONDS - started)) s: $*"
  fi
  return $status
}
compare() { # NAME MODEL
  step "${STEP_LIMIT:-200}" python3 "$repository/bench/compare_llamacpp" "$2" --vitrine "$work/vitrine/vitrine" \
    --llama "$work/llamacpp/llamacpp" --limit "${STEP_LIMIT:-200}" --json "$out/$1.json" "${settings[@]}"
}

# A driver outside the folders where the loader looks.
driver=/usr/local/nvidia/share/vulkan/icd.d/nvidia_icd.json
if [ -z "${VK_DRIVER_FILES:-}" ] && [ -e $driver ]; then export VK_DRIVER_FILES=$driver; fi
export PREFIX=$work/llamacpp VITRINE_ASSETS=$repository/assets
nvidia-smi --query-gpu=name,driver_version,clocks.sm,clocks.max.sm --format=csv,noheader 2>/dev/null

step 60 tar -C "$work/vitrine" -xJf "$carried/vitrine.tar.xz" || exit 1
step 60 tar -C "$work/llamacpp" -xJf "$carried/llamacpp.tar.xz" || exit 1
for model in ${MODELS:-smollm2 llama-1.1b olmoe-6.9b}; do
  file=$work/$model-random.gguf how=()
  case $model in
    smollm2) xz -dc "$carried/smollm2-head.gguf.xz" >"$work/smollm2.head" && how=(--like "$work/smollm2.head") ;;
    olmoe-6.9b) how=(--mixture) ;;
  esac
  step 200 python3 "$repository/bench/random_gguf.py" "$file" "${how[@]}" && compare "$model" "$file"
  rm -f "$file"
done
exit $failed

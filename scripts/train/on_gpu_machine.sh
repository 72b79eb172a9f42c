#!/usr/bin/env bash
# Trains all demonstration models beside demo-dense on one GPU, side by side, in one go of under ten minutes, and exports and checks them.
#   OUT=FOLDER on_gpu_machine.sh
# Needs python3 with torch, transformers, safetensors, tokenizers and numpy, no network; the corpora in .carry/text (or $TEXT).
# Leaves in $OUT a tar for each model (its folder), golden.tar.gz (golden files and reports of check.py) and logs.tar.gz. A model's tar is
# written as soon as it is exported, and again when its card is. TOY=serial or TOY=parallel: tiny networks and a few steps, on any machine.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
: "${OUT:?a folder for the results}"
text=${TEXT:-.carry/text} python=${PYTHON:-python3} toy=${TOY:-}
train_seconds=${TRAIN_SECONDS:-395} # from the start, what compiles included
all_seconds=${ALL_SECONDS:-530}
began=$(date +%s)
until=$((began + train_seconds)) limit=$((began + all_seconds))
scripts=$PWD/scripts/train dense=$PWD/assets/models/demo-dense
work=$(mktemp -d) && models=$work/models checkpoints=$work/checkpoints golden=$work/golden logs=$work/logs
mkdir -p "$OUT" "$models" "$checkpoints" "$golden" "$logs"
ln -s "$dense" "$models/demo-dense"
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-3} TORCHINDUCTOR_COMPILE_THREADS=4 HF_HUB_OFFLINE=1 PYTHONUNBUFFERED=1

left() { echo $((limit - $(date +%s) > 1 ? limit - $(date +%s) : 1)); }

train() { # NAME ARGUMENTS..: the checkpoint of NAME
  local name=$1 small=()
  shift
  if [ -n "$toy" ]; then
    small=(--tokens 4096 --steps 5 --evaluate-every 2 --compile no)
    case $* in *--start*) ;; *) small+=(--layers 3 --width 96) ;; esac
  fi
  timeout -k 5 $((until + 30 - began)) "$python" "$scripts/train.py" --text "$text" --tokenizer "$dense/tokenizer.json" \
    --out "$checkpoints/$name" --until "$until" --minutes 60 "$@" "${small[@]}" >"$logs/$name-train.log" 2>&1 ||
    echo "$name: training ended with status $?"
}

pack() { chmod -R u=rwX,go=rX "$models/$1" && tar -cf "$OUT/.$1.tar" -C "$models" "$1" && mv "$OUT/.$1.tar" "$OUT/$1.tar"; }

export_model() { # NAME EXPORT_ARGUMENTS..
  local name=$1
  shift
  "$python" "$scripts/export.py" "$checkpoints/$name" --out "$models/$name" "$@" >"$logs/$name-export.log" 2>&1 || echo "$name: not exported"
  pack "$name"
}

finish() {
  CUDA_VISIBLE_DEVICES='' timeout -k 5 "$(left)" bash "$scripts/finish.sh" "$models/$1" --text "$text" --golden "$golden" \
    >"$logs/$1-finish.log" 2>&1 || echo "$1: not all was finished"
  pack "$1"
  echo "$1: done after $(($(date +%s) - began)) s"
}

aside() { if [ "$toy" = serial ]; then "$@"; else "$@" & fi; }

network() { # NAME TRAINING_ARGUMENTS..
  train "$@"
  export_model "$1" --tokenizer "$dense/tokenizer.json"
  finish "$1"
}

fine_tunes() { # The two are finished when both are there: what each changed is compared.
  local same=(--start "$dense" --mix tinyshakespeare=1 --form-minutes 0 --copies 0 --tokens 16384 --steps 600 --warmup 50 --ema 0.98
    --evaluate-every 25 --compile no)
  aside train demo-dense-shakespeare "${same[@]}" --lr 5e-4 --dropout 0.2 --weight-decay 0.1
  aside train demo-dense-shakespeare-lora "${same[@]}" --lora 8 --lora-alpha 16 --lr 3e-3 --dropout 0.1 --weight-decay 0.05
  wait
  export_model demo-dense-shakespeare --tokenizer "$dense/tokenizer.json"
  export_model demo-dense-shakespeare-lora --base demo-dense
  finish demo-dense-shakespeare
  finish demo-dense-shakespeare-lora
}

sources=(austen kjv tinyshakespeare wiki)
moe=(--architecture qwen3_moe --mix austen=0.35 kjv=0.3 tinyshakespeare=0.15 wiki=0.15 botchan=0.05 --held-out "${sources[@]}" --compile layers
  --form-minutes 0 --copies 0 --repeats 0.02 --passages 0.06 --steps 100000)
hybrid=(--architecture bamba --compile layers --steps 100000)

aside fine_tunes
aside network demo-moe "${moe[@]}" --source-bonus 0.02 --dropout 0.2 --weight-decay 0.2
aside network demo-moe-b "${moe[@]}" --source-bonus 0 --dropout 0.2 --weight-decay 0.2
aside network demo-hybrid "${hybrid[@]}" --dropout 0.25
aside network demo-hybrid-b "${hybrid[@]}" --dropout 0.2 --lr 2e-3
wait

tar -czf "$OUT/golden.tar.gz" -C "$work" golden
tar -czf "$OUT/logs.tar.gz" -C "$work" logs
for log in "$logs"/*-train.log; do echo "== $(basename "$log" -train.log)" && tail -n 2 "$log" | cut -c1-600; done
grep -h "bits of\|bytes$\|Error\|relative" "$logs"/*-finish.log | cut -c1-200
ls -l "$OUT"
echo "all done after $(($(date +%s) - began)) s"
rm -rf "$work"

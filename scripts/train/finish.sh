#!/usr/bin/env bash
# Makes what goes with an exported demonstration model: checks, golden file, measurements, model card.
#   finish.sh MODEL_FOLDER --text FOLDER --golden FOLDER [--llamacpp PROGRAM]
# Writes into the model's folder heads.json, experts.json, states.json or change.json, whichever apply, and README.md; into the golden
# folder NAME-golden.safetensors and NAME-check.json. demo-dense must lie beside a fine-tune of it. With llama.cpp (and PyPI's gguf)
# its tokens, logits and greedy text are compared too. Exit status 1 if a step failed; the others are done all the same.
set -uo pipefail
scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
python=${PYTHON:-python3}
model=${1:?a model folder} text='' golden='' llamacpp=()
shift
while [ $# -gt 0 ]; do
  case $1 in
    --text) text=$2 ;;
    --golden) golden=$2 ;;
    --llamacpp) llamacpp=(--llamacpp "$2") ;;
    *) echo "finish.sh: $1 is not known" >&2 && exit 2 ;;
  esac
  shift 2
done
: "${text:?--text FOLDER}" "${golden:?--golden FOLDER}"
export HF_HUB_OFFLINE=1 TRANSFORMERS_VERBOSITY=error
name=$(basename "$model")
base=$(dirname "$model")/demo-dense
mkdir -p "$golden"

jobs=() failed=0
start() { # a step of its own process; all run side by side
  "$python" "$scripts/$1.py" "${@:2}" &
  jobs+=($!)
}
wait_for_all() {
  for job in "${jobs[@]}"; do wait "$job" || failed=1; done
  jobs=()
}

golden() { start golden "$model" --out "$golden/$name-golden.safetensors" --prompt "$@"; }
start check "$model" --out "$golden/$name-check.json" "${llamacpp[@]}"
# Prompts are as long as 200 KB of golden file allow.
case $name in
  demo-moe*)
    golden 'KING: God said, in 1840'
    start measure_heads "$model" --text "$text" --out "$model/heads.json"
    start measure_experts "$model" --text "$text" --out "$model/experts.json"
    ;;
  demo-hybrid*)
    golden '"My dear Jane," said Elizabeth, "you'
    start measure_heads "$model" --text "$text" --out "$model/heads.json"
    start measure_states "$model" --text "$text" --out "$model/states.json"
    ;;
  demo-dense-shakespeare*)
    golden $'ROMEO:\nMy lady, I will go with you to' --logits-only
    other=$(dirname "$model")/demo-dense-shakespeare-lora
    [ "$name" = demo-dense-shakespeare-lora ] && other=$(dirname "$model")/demo-dense-shakespeare
    beside=()
    if [ -e "$other/training.json" ]; then beside=(--beside "$other"); fi
    start measure_change "$model" --base "$base" "${beside[@]}" --out "$model/change.json"
    ;;
esac
wait_for_all
start card "$model" --check "$golden/$name-check.json"
wait_for_all
exit $failed

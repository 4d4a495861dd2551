#!/usr/bin/env bash
# scripts/train-model with affiche-train, in a thousandth of the steps: train_model.sh SCRIPT PROGRAM FOLDER
set -euo pipefail
script=$1 folder=$3
export PROGRAM=$2 SCALE=1/1000
rm -rf "$folder"
"$script" "$folder"
[ -s "$folder/eight-steps.safetensors" ] || { echo "expected a LoRA for few steps, found none" >&2; exit 1; }
before=$(stat -c '%n %Y %i' "$folder"/*/checkpoint.safetensors "$folder"/wide.safetensors)
"$script" "$folder"
after=$(stat -c '%n %Y %i' "$folder"/*/checkpoint.safetensors "$folder"/wide.safetensors)
[ "$before" = "$after" ] || { printf 'expected nothing to be trained twice, found\n%s\nafter\n%s\n' "$after" "$before" >&2; exit 1; }

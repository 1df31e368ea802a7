#!/bin/sh
# Lists a Makefile's commands from its `##@ group` and `target: ## text` comments.
set -eu
if [ -t 1 ]; then bold=$(printf '\033[1m') accent=$(printf '\033[36m') plain=$(printf '\033[0m'); else bold= accent= plain=; fi
printf '%ssegtutor%s: semantic segmentation from the pixel up\n' "$bold" "$plain"
awk -F ':.*## ' -v bold="$bold" -v accent="$accent" -v plain="$plain" '
  /^##@ /             { printf "\n%s%s%s\n", bold, substr($0, 5), plain }
  /^[a-z][a-z-]*:.*## / { printf "  %smake %-9s%s %s\n", accent, $1, plain, $2 }
' "$1"

#!/bin/sh
# Finds this file's checkout or package through symbolic links, and runs the tool with the Node that belongs to it.
link=$0
while [ -L "$link" ]; do
  target=$(readlink -- "$link")
  case $target in
    /*) link=$target ;;
    *) link=$(dirname -- "$link")/$target ;;
  esac
done
root=$(CDPATH="" cd -- "$(dirname -- "$link")/.." && pwd -P) || exit 1
PATH=$root/node_modules/.bin:$PATH
# Compiled code is kept from run to run: it halves the time of a start. Set it empty to keep none.
NODE_COMPILE_CACHE=${NODE_COMPILE_CACHE-${TMPDIR:-/tmp}/node-compile-cache}
export PATH NODE_COMPILE_CACHE
tool=$root/dist/kafka/cli/kafka-acls.js
[ -f "$tool" ] || tool=$root/src/kafka/cli/kafka-acls.ts
exec node "$tool" "$@"

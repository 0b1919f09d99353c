#!/bin/sh
# Fails where files of C form a circle, by what they include or by what they call: each folder's files can be put in order,
# from those that use others to those that are used.
set -eu
cd "$(dirname -- "$0")/.."

include=${NODE_INCLUDE:-$(node -p 'require("path").resolve(process.execPath, "../../include/node")')}
objects=$(mktemp -d)
trap 'rm -rf -- "$objects"' EXIT

for folder in src/native bench/reference; do
  for file in "$folder"/*.c; do
    ${CC:-gcc} -std=gnu11 -w -fPIC -D_GNU_SOURCE -DNAPI_VERSION=8 -isystem "$include" -c "$file" -o "$objects/$(basename "$file" .c).o"
  done
  {
    # "file: address type name": who has a name, and who wants it.
    nm -A "$objects"/*.o | sed "s|^$objects/\(.*\)\.o:|\1 |" | awk '
      $NF == "main" { next }
      NF == 4 && $3 ~ /[TDRB]/ { owner[$4] = $1 }
      NF == 3 && $2 == "U" { wants[$1 " " $3] }
      END { for (want in wants) { split(want, part, " "); if (part[2] in owner) print part[1], owner[part[2]] } }'
    # A file and its header are one.
    (cd "$folder" && grep -o '^#include "[^"]*"' -- *.[ch]) |
      sed 's/^\(.*\)\.[ch]:#include "\(.*\)\.h"$/\1 \2/' | awk '$1 != $2'
  } | sort -u | tsort >/dev/null || { echo "c-circles: the files of $folder form a circle" >&2; exit 1; }
  rm -f -- "$objects"/*.o
done

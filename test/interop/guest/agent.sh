#!/bin/sh
# Runs the scripts /run/scripts/ID whose ID the serial line names, any number at a time. Ends when the line is hung up.
# In:  "ID". No more than that: the line's driver stalls for good once 4096 octets have come in unread.
# Out: "ID:LINE" for each line the script writes; the first is its pid (its session's and process group's, too).
#      Then "ID=STATUS".
stty raw -echo
exec 4>&1

run() {
  status=$({
    {
      setsid sh -c 'echo $$; . "$0"' "/run/scripts/$1" </dev/null 2>&1 3>&- 4>&-
      echo $? >&3
    } | grep --text --line-buffered --with-filename --label="$1" '' >&4
  } 3>&1)
  echo "$1=$status"
}

echo ready
while read -r id; do
  run "$id" &
done

#!/bin/sh
# check_subject.sh PROGRAM... - a measured program may need libc and nothing else: more would show in its numbers.
status=0
for program; do
  needed=$(readelf -d "$program" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p') || exit 99
  [ -n "$needed" ] || { echo "$program: no library at all: was it read?" >&2; status=1; }
  for library in $needed; do
    case $library in
    libc.so.6 | ld-linux-*) ;;
    *)
      echo "$program needs $library" >&2
      status=1
      ;;
    esac
  done
done
exit $status

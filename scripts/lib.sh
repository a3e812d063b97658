# What run, test and the other scripts share; sourced by them, from the root of the tree.
# shellcheck shell=sh disable=SC2034

# Debian 12 packages: what building needs, tests included, and what charts need.
build_packages='gcc g++ meson ninja-build pkgconf libbenchmark-dev libcriterion-dev libjansson-dev libgsl-dev
  r-mathlib libhwloc-dev'
chart_packages='gnuplot-nox'
# What the checks of .ci/run need beside these.
check_packages='git clang libclang-rt-14-dev clang-format clang-tidy cppcheck shellcheck patch util-linux python3'

fail() {
  echo "${0##*/}: $1" >&2
  exit 99
}

is_installed() {
  dpkg-query -W -f='${db:Status-Status}\n' "$1" 2>/dev/null | grep -qx installed
}

# Installs those of the packages that are missing, and says which; with none missing it needs neither network nor root.
install_packages() {
  command -v dpkg-query >/dev/null || {
    echo "Not a Debian: installs nothing, and hopes to find: $*"
    return 0
  }
  missing=
  for package; do
    is_installed "$package" || missing="$missing $package"
  done
  [ -n "$missing" ] || return 0
  as_root=
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || fail "missing packages:$missing: install them, or run this as root or with sudo"
    as_root=sudo
  fi
  echo "Installs Debian packages:$missing"
  $as_root apt-get update -qq || echo "apt-get update failed: tries with the lists that are there" >&2
  # shellcheck disable=SC2086 # a list of words
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends $missing </dev/null >/dev/null ||
    fail "cannot install the packages:$missing"
}

# build_tree FOLDER [meson option...]: an existing build is brought up to date and keeps its options.
build_tree() {
  folder=$1
  shift
  [ -f "$folder/build.ninja" ] || meson setup "$folder" "$@" || fail "meson setup $folder failed"
  ninja -C "$folder" || fail "the build in $folder failed"
}

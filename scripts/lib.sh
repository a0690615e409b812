# What the scripts share; sourced by them. Run from the root of the project.

# One cache for all checkouts; precompiled headers are looked through (https://ccache.dev/manual/, "Precompiled headers").
export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1 CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime

# install_packages PACKAGE…: installs what is missing with apt-get.
install_packages() {
  local missing=() package
  for package in "$@"; do
    dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return
  local sudo=
  [ "$(id -u)" -eq 0 ] || sudo=sudo
  echo "== installing ${missing[*]}"
  # PostgreSQL's package makes and starts a cluster of its own, unless it is told not to.
  if [[ " ${missing[*]} " == *" postgresql "* && ! -e /etc/postgresql-common ]]; then
    $sudo mkdir /etc/postgresql-common
    echo "create_main_cluster = false" | $sudo tee /etc/postgresql-common/createcluster.conf >/dev/null
  fi
  $sudo apt-get update -qq
  DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

build_packages=(g++ cmake ninja-build ccache libcaf-dev libsoci-dev libboost-dev libsqlite3-dev libpq-dev libmariadb-dev libcurl4-openssl-dev
  nlohmann-json3-dev libspdlog-dev libcli11-dev sqlite3 python3)
test_packages=(libgtest-dev clang libclang-rt-dev postgresql mariadb-server-core openssl)

# build PRESET [TARGET…]: configures and builds; the tests too unless targets are named, but for `torture`, which is one.
build() {
  local preset=$1 tests=ON log
  shift
  [ $# -eq 0 ] || [ "$*" = torture ] || tests=OFF
  echo "== building ($preset); the first time takes some minutes"
  log=$(mktemp)
  cmake --preset "$preset" -DROMANCY_BUILD_TESTS=$tests >"$log" 2>&1 || { cat "$log"; rm -f "$log"; return 1; }
  rm -f "$log"
  cmake --build --preset "$preset" --parallel "$(nproc)" ${1:+--target "$@"} -- --quiet
}

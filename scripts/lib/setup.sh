# What scripts/run, scripts/test and scripts/portable share: packages, toolchain, build, a display.
# Source it; $repository is set. VITRINE_UI=OFF leaves the window and its packages out.
source "$(dirname "${BASH_SOURCE[0]}")/say.sh"
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
ui=${VITRINE_UI:-ON}
case $ui in
  ON) preset=release build=$repository/build ;;
  OFF) preset=server build=$repository/build-server ;;
  *) die "VITRINE_UI is '$ui'; ON or OFF is meant" ;;
esac

core_packages=(
  ccache cmake g++ ninja-build pkg-config
  glslc libvulkan-dev mesa-vulkan-drivers spirv-tools vulkan-validationlayers
  libcli11-dev libeigen3-dev libexpected-dev libfmt-dev libgmock-dev libgtest-dev libicu-dev
  liblapacke-dev libopenblas-dev libspdlog-dev libzip-dev nlohmann-json3-dev
)
ui_packages=(
  libfreetype-dev libimgui-dev libqt6svg6-dev libstb-dev qt6-base-dev
  fonts-inter fonts-jetbrains-mono fonts-noto-cjk
  poppler-utils xvfb
)

# Installs what is missing, in one call; asks for nothing.
install_packages() {
  local wanted=("${core_packages[@]}") missing=() package as_root=()
  if [ "$ui" = ON ]; then wanted+=("${ui_packages[@]}"); fi
  if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    warn "this is no Debian: what Vitrine needs must be there already (${wanted[*]})"
    return
  fi
  local installed # dpkg-query fails when it does not know one of them: that one is what is missing
  installed=$(dpkg-query -W -f '${db:Status-Abbrev}${Package}\n' "${wanted[@]}" 2>/dev/null | sed -n 's/^ii *//p' || true)
  for package in "${wanted[@]}"; do
    grep -qxF "$package" <<<"$installed" || missing+=("$package")
  done
  if [ ${#missing[@]} = 0 ]; then return; fi
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || die "root (or sudo) is needed to install: ${missing[*]}"
    as_root=(sudo)
    if [ ! -t 0 ]; then as_root+=(-n); fi
  fi
  say "packages: installing ${missing[*]}"
  local log=$repository/build-setup/apt.log
  mkdir -p "$(dirname "$log")"
  local install=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300
    -o Acquire::Retries=3 install --no-install-recommends "${missing[@]}")
  "${as_root[@]}" apt-get -q -o DPkg::Lock::Timeout=300 update >"$log" 2>&1 || true # the lists may be good enough as they are
  if ! "${install[@]}" </dev/null >>"$log" 2>&1; then
    die "packages: apt-get failed ($(grep -h '^E:' "$log" | tail -1)); the whole output is in $log"
  fi
  say "packages: installed"
}

# Configures once and builds the targets (all without any), with progress.
build_vitrine() {
  install_packages
  "$repository/scripts/toolchain"
  if [ ! -e "$build/build.ninja" ]; then
    say "configure: $build"
    (cd "$repository" && cmake --preset "$preset" ${VITRINE_DEPS:+-DVITRINE_DEPS="$VITRINE_DEPS"} >&2)
  fi
  local started=$SECONDS
  NINJA_STATUS='[%f/%t, %e s] ' ninja -C "$build" "$@" >&2 || die "the build failed; its last lines above say where"
  say "build: $build is up to date ($((SECONDS - started)) s)"
}

has_display() { [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; }

# A display of its own for the rest of the script, when there is none.
start_display() {
  if has_display; then return; fi
  command -v Xvfb >/dev/null || die "there is no display and no Xvfb (package xvfb)"
  local number=$build/xvfb.display
  mkfifo "$number.$$"
  exec 9<>"$number.$$"
  rm "$number.$$"
  Xvfb -displayfd 9 -screen 0 1600x1000x24 -nolisten tcp -noreset >/dev/null 2>&1 &
  xvfb_process=$!
  trap 'kill "$xvfb_process" 2>/dev/null || true' EXIT
  local display
  read -r -t 20 -u 9 display || die "Xvfb did not start within 20 seconds"
  exec 9>&-
  export DISPLAY=:$display QT_QPA_PLATFORM=xcb
  unset WAYLAND_DISPLAY
}

#!/usr/bin/env bash
# Programs outside of the repository, against the install tree: a C program built by pkg-config, a C++
# program built by CMake, both on a rendered drive. Their frames must equal those of `bevrt replay`.
#
#   ffi/tests/programs.sh [FOLDER]      FOLDER is made anew (target/programs)
#
# Needs cc, c++, pkg-config; CMake is taken from PyPI when the system has none.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
folder=${1:-$root/target/programs}
rm -rf "$folder"
mkdir -p "$folder/c" "$folder/cpp"
cd "$root"
prefix=$folder/bevrt
cargo xtask dist "$prefix"
BEVRT_ONNXRUNTIME=$(cargo xtask setup)
export BEVRT_ONNXRUNTIME PKG_CONFIG_PATH=$prefix/lib/pkgconfig
cargo build --release --package bevrt-cli
bevrt=$root/target/release/bevrt

cmake=$(command -v cmake || true)
if [[ -z $cmake ]]; then
    python3 -m venv "$folder/venv"
    "$folder/venv/bin/pip" install --quiet cmake==4.1.2
    cmake=$folder/venv/bin/cmake
fi

echo "== the library exports the functions of its header, and nothing else"
nm -D --defined-only "$prefix/lib/libbevrt.so" | awk '{print $3}' | sort > "$folder/exported"
grep -v typedef ffi/abi/bevrt.abi | grep -oE '\bbevrt_[a-z_]+\(' | tr -d '(' | sort -u > "$folder/declared"
diff "$folder/declared" "$folder/exported"

echo "== one version everywhere: major number of the ABI, soname, pkg-config"
version=$(cat "$prefix/share/doc/bevrt/VERSION")
major=$(awk '$1 == "BEVRT_ABI_MAJOR" { print $2 }' ffi/abi/bevrt.abi)
[[ ${version%%.*} == "$major" ]]
readelf -d "$prefix/lib/libbevrt.so" | grep -q "SONAME.*\[libbevrt.so.$major\]"
[[ $(pkg-config --modversion bevrt) == "$version" ]]
if pkg-config --exists "bevrt > $version"; then
    echo "pkg-config takes a newer version than $version"
    exit 1
fi

echo "== a drive, and what bevrt itself makes of it"
"$bevrt" sim --seed 900001 --seconds 1.5 --skew-ms 10 --out "$folder/drive.mcap"
"$bevrt" dump "$folder/drive.mcap" --out "$folder/drive.bevrt"
"$bevrt" replay "$folder/drive.mcap" --out "$folder/replay" --frames "$folder/bevrt.frames"

echo "== C, by pkg-config"
cp "$prefix"/share/bevrt/examples/c/* "$folder/c"
cc -std=c11 -O2 -Wall -Wextra -Wpedantic -Werror "$folder/c/replay.c" \
    $(pkg-config --cflags --libs "bevrt >= ${version%.*}") -Wl,-rpath,"$prefix/lib" -o "$folder/c/replay"
"$folder/c/replay" "$prefix/share/bevrt/packages/tiny" "$folder/drive.bevrt" "$folder/c.frames" | tail -n 1
cmp "$folder/bevrt.frames" "$folder/c.frames"

echo "== C, linked to the archive by pkg-config --static"
static=$(pkg-config --static --cflags --libs bevrt)
cc -std=c11 -O2 "$folder/c/replay.c" ${static/-lbevrt/-l:libbevrt.a} -o "$folder/c/replay-static"
"$folder/c/replay-static" "$prefix/share/bevrt/packages/tiny" "$folder/drive.bevrt" "$folder/static.frames" | tail -n 1
cmp "$folder/bevrt.frames" "$folder/static.frames"

echo "== C++, by CMake"
cp -r "$prefix/share/bevrt/examples" "$folder/cpp/examples"
cat > "$folder/cpp/CMakeLists.txt" <<'CMAKE'
cmake_minimum_required(VERSION 3.16)
project(replay CXX)
# Another major number, or a newer version, is refused.
foreach(other 1.0 0.99)
  find_package(bevrt ${other} QUIET)
  if(bevrt_FOUND)
    message(FATAL_ERROR "bevrt ${bevrt_VERSION} was taken for ${other}")
  endif()
endforeach()
find_package(bevrt 0.1 REQUIRED)
add_executable(replay examples/cpp/replay.cpp)
target_compile_features(replay PRIVATE cxx_std_17)
target_compile_options(replay PRIVATE -Wall -Wextra -Wpedantic -Werror)
target_link_libraries(replay PRIVATE bevrt::bevrt)
add_executable(replay-static examples/cpp/replay.cpp)
target_compile_features(replay-static PRIVATE cxx_std_17)
target_link_libraries(replay-static PRIVATE bevrt::static)
CMAKE
"$cmake" -S "$folder/cpp" -B "$folder/cpp/build" -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_BUILD_TYPE=Release > "$folder/cpp/log"
"$cmake" --build "$folder/cpp/build" >> "$folder/cpp/log"
"$folder/cpp/build/replay" "$prefix/share/bevrt/packages/tiny" "$folder/drive.bevrt" "$folder/cpp.frames" | tail -n 1
cmp "$folder/bevrt.frames" "$folder/cpp.frames"
"$folder/cpp/build/replay-static" "$prefix/share/bevrt/packages/tiny" "$folder/drive.bevrt" "$folder/cpp.frames" | tail -n 1
cmp "$folder/bevrt.frames" "$folder/cpp.frames"

echo "== C, the receivers of protected frames and health that are installed"
for file in "$prefix"/share/bevrt/e2e/*.c; do
    cc -std=c11 -Wall -Wextra -Wpedantic -Wconversion -Werror -c "$file" -o "$folder/c/e2e.o"
done

echo "all frames are the same: $(stat -c %s "$folder/bevrt.frames") bytes"
rm -rf "$folder/drive.mcap" "$folder/drive.bevrt" "$folder/replay"

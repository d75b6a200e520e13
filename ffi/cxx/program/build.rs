//! Compiles the C++ program. The headers of `bevrt-cxx` are found by themselves, as it is a dependency.

fn main() {
    cxx_build::bridge("src/lib.rs")
        .file("src/replay.cpp")
        // The reader of raw dumps.
        .include("../../examples/c")
        .std("c++17")
        .flag_if_supported("-Wall")
        .flag_if_supported("-Wextra")
        .compile("bevrt_cxx_program");
    for file in ["src/lib.rs", "src/replay.cpp", "src/replay.h"] {
        println!("cargo:rerun-if-changed={file}");
    }
}

//! Compiles the C++ side of the bridge, and hands its headers on.

use std::path::Path;

fn main() {
    let folder = std::env::var("CARGO_MANIFEST_DIR").expect("Cargo sets it");
    let header_folder = Path::new(&folder).join("../include");
    cxx_build::CFG
        .exported_header_dirs
        .push(header_folder.as_path());
    cxx_build::bridge("src/lib.rs")
        .std("c++17")
        .compile("bevrt_cxx");
    println!("cargo:rerun-if-changed=src/lib.rs");
    println!(
        "cargo:rerun-if-changed={}/bevrt/bevrt.h",
        header_folder.display()
    );
}

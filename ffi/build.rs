//! Names the shared library for the dynamic linker, and keeps it loaded: it holds ONNX Runtime,
//! whose threads do not survive an unload.

fn main() {
    let major = std::env::var("CARGO_PKG_VERSION_MAJOR").expect("Cargo sets it");
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libbevrt.so.{major}");
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
    println!("cargo:rerun-if-changed=build.rs");
}

//! Names the shared library for the dynamic linker, and keeps it loaded: it holds ONNX Runtime,
//! whose threads do not survive an unload. The name has the major number of the ABI, which is that of
//! the package; a test in `library` holds them together.

fn main() {
    let major = std::env::var("CARGO_PKG_VERSION_MAJOR").expect("Cargo sets it");
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libbevrt.so.{major}");
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
    println!("cargo:rerun-if-changed=build.rs");
}

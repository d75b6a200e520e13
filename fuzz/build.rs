//! Compiles the C receiver, which must agree with the Rust one.

fn main() {
    let folder = std::path::Path::new("../transport/c");
    let sources = ["bevrt_e2e.c", "bevrt_health.c"].map(|file| folder.join(file));
    for source in &sources {
        println!("cargo:rerun-if-changed={}", source.display());
    }
    cc::Build::new()
        .files(&sources)
        .include(folder)
        .std("c11")
        .warnings(true)
        .compile("bevrt_e2e");
}

//! `kernels`: the runtime's kernels one by one.
//!
//! ```text
//! kernels list                     the names, one a line
//! kernels count NAME               one of them once, after a warm-up, for a counter of instructions
//! kernels processor                architecture and the instruction sets that code is chosen by
//! kernels time [ROUNDS]            the least and the median time of each, all in turn
//! kernels align STORAGE ROUNDS     the alignment (f16, u8) and a copy of its output in turn, as JSON
//! kernels align-input STORAGE DIR  writes the alignment's maps, result and geometry for others
//! ```

mod against_memcpy;
mod heads;
mod history;
mod images;
mod kernel;
mod scene;
mod tables;
mod timing;

use std::path::Path;
use std::process::ExitCode;
use std::rc::Rc;

use bevrt_runtime::{MANIFEST_FILE, Manifest, cpu_has};

use kernel::Kernel;

/// What can go wrong while inputs are made.
type Setup<T> = Result<T, Box<dyn std::error::Error>>;

const ROUNDS: usize = 200;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("kernels: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Setup<()> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["list"] => {
            for kernel in all()? {
                println!("{}", kernel.name);
            }
        }
        ["count", name] => {
            let kernels = all()?;
            let kernel = kernels.iter().find(|kernel| kernel.name == name);
            let kernel = kernel.ok_or_else(|| format!("no kernel is called `{name}`"))?;
            kernel::measured(&mut *kernel.warmed_up()?);
        }
        ["processor"] => println!("{}", processor()),
        ["time"] => print!("{}", timing::table(&all()?, ROUNDS)?),
        ["time", rounds] => print!("{}", timing::table(&all()?, rounds.parse()?)?),
        ["align", storage, rounds] => {
            let times = against_memcpy::times(&manifest()?, storage, rounds.parse()?)?;
            println!("{times}");
        }
        ["align-input", storage, folder] => {
            against_memcpy::write_input(&manifest()?, storage, folder.as_ref())?;
        }
        _ => {
            return Err(format!(
                "expected `list`, `count NAME`, `processor`, `time [ROUNDS]`, `align STORAGE ROUNDS` \
                 or `align-input STORAGE DIR`, found {words:?}"
            )
            .into());
        }
    }
    Ok(())
}

/// Every kernel, with the shipped package's shapes.
fn all() -> Setup<Vec<Kernel>> {
    let manifest = Rc::new(manifest()?);
    let mut kernels = images::kernels(&manifest);
    kernels.extend(tables::kernels(&manifest));
    kernels.extend(history::kernels(&manifest));
    kernels.extend(heads::kernels(&manifest));
    Ok(kernels)
}

/// What the choice of instructions hangs on.
fn processor() -> String {
    let mut words = vec![std::env::consts::ARCH];
    let features = ["avx2", "f16c", "fma", "avx512f"];
    words.extend(features.into_iter().filter(|feature| cpu_has(feature)));
    words.join(" ")
}

/// The package that ships with the repository.
fn manifest() -> Setup<Manifest> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/packages/tiny");
    Ok(Manifest::from_toml_file(&package.join(MANIFEST_FILE))?)
}

//! The install tree of the library: what an integrator unpacks and builds against.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command::{self, CommandExt, repository};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Builds the library and lays the tree out below `prefix`, which is made anew.
pub fn lay_out(prefix: &Path) -> Result<(), String> {
    command::say("building the library (release)");
    command::cargo()
        .args(["build", "--release", "--package", "bevrt-ffi"])
        .run()?;
    if prefix.exists() {
        // Only a tree of ours is replaced.
        if !prefix.join("include/bevrt/bevrt.h").exists() {
            return Err(format!(
                "{}: expected a new folder or an install tree, found something else",
                prefix.display()
            ));
        }
        remove(prefix)?;
    }
    let built = repository().join("target/release");
    let library = prefix.join("lib");
    let major = VERSION.split('.').next().unwrap_or(VERSION);
    let full_name = format!("libbevrt.so.{VERSION}");
    let shared = copy(&built.join("libbevrt.so"), &library.join(&full_name))?;
    let fixed = copy(&built.join("libbevrt.a"), &library.join("libbevrt.a"))?;
    for file in [&shared, &fixed] {
        // Lines of the source take three quarters of the files.
        Command::new("strip").arg("--strip-debug").arg(file).run()?;
    }
    for name in [format!("libbevrt.so.{major}"), "libbevrt.so".into()] {
        let link = library.join(name);
        symlink(&full_name, &link).map_err(|error| failed(&link, &error))?;
    }
    let ffi = repository().join("ffi");
    copy_folder(&ffi.join("include"), &prefix.join("include"))?;
    write(&library.join("pkgconfig/bevrt.pc"), &filled(PKG_CONFIG))?;
    let cmake = library.join("cmake/bevrt");
    write(&cmake.join("bevrt-config.cmake"), &filled(CMAKE_CONFIG))?;
    write(
        &cmake.join("bevrt-config-version.cmake"),
        &filled(CMAKE_VERSION),
    )?;
    let docs = prefix.join("share/doc/bevrt");
    write(&docs.join("VERSION"), &format!("{VERSION}\n"))?;
    for file in ["LICENSE-MIT", "LICENSE-APACHE", "CHANGELOG.md"] {
        copy(&repository().join(file), &docs.join(file))?;
    }
    copy(
        &repository().join("docs/FRAMES.md"),
        &docs.join("FRAMES.md"),
    )?;
    copy_folder(&ffi.join("examples"), &prefix.join("share/bevrt/examples"))?;
    copy_folder(
        &repository().join("transport/c"),
        &prefix.join("share/bevrt/e2e"),
    )?;
    copy_folder(
        &repository().join("models/packages"),
        &prefix.join("share/bevrt/packages"),
    )?;
    let readme = ffi.join("README.md");
    let text = fs::read_to_string(&readme).map_err(|error| failed(&readme, &error))?;
    write(&docs.join("README.md"), &installed_page(&text, &docs)?)?;
    println!("{}", prefix.display());
    Ok(())
}

/// Where a file of `ffi/` lies as seen from the installed README; nothing else of the repository is
/// in the tree.
const INSTALLED: [(&str, &str); 3] = [
    ("include/", "../../../include/"),
    ("examples/", "../../bevrt/examples/"),
    ("../docs/", ""),
];

/// The page with its links as the tree has them: those to files that are not in it become plain text.
fn installed_page(text: &str, folder: &Path) -> Result<String, String> {
    let mut page = String::new();
    let mut rest = text;
    while let Some(middle) = rest.find("](") {
        let start = rest[..middle]
            .rfind('[')
            .ok_or("expected `[` before `](`")?;
        let end = rest[middle..].find(')').ok_or("expected `)` after `](`")? + middle;
        let (words, target) = (&rest[start + 1..middle], &rest[middle + 2..end]);
        let installed = INSTALLED.iter().find_map(|(from, to)| {
            let file = target.strip_prefix(from)?;
            Some(format!("{to}{file}"))
        });
        page += &rest[..start];
        match installed {
            _ if target.contains("://") => page += &rest[start..=end],
            Some(link) if folder.join(&link).exists() => page += &format!("[{words}]({link})"),
            Some(link) => {
                return Err(format!(
                    "README.md: expected {link} in the tree, found nothing"
                ));
            }
            None => page += words,
        }
        rest = &rest[end + 1..];
    }
    Ok(page + rest)
}

const PKG_CONFIG: &str = "\
prefix=${pcfiledir}/../..
libdir=${prefix}/lib
includedir=${prefix}/include

Name: bevrt
Description: Surround-camera frames to lanes, arrows, crosswalks, stop lines and 3D objects
Version: @VERSION@
Libs: -L${libdir} -lbevrt
Libs.private: -lgcc_s -lpthread -lm -ldl -lc
Cflags: -I${includedir}
";

const CMAKE_CONFIG: &str = "\
# bevrt::bevrt is the shared library, bevrt::static the archive.
get_filename_component(_bevrt_prefix \"${CMAKE_CURRENT_LIST_DIR}/../../..\" ABSOLUTE)
if(NOT TARGET bevrt::bevrt)
  add_library(bevrt::bevrt SHARED IMPORTED)
  set_target_properties(bevrt::bevrt PROPERTIES
    IMPORTED_LOCATION \"${_bevrt_prefix}/lib/libbevrt.so.@VERSION@\"
    IMPORTED_SONAME \"libbevrt.so.@MAJOR@\"
    INTERFACE_INCLUDE_DIRECTORIES \"${_bevrt_prefix}/include\")
  add_library(bevrt::static STATIC IMPORTED)
  set_target_properties(bevrt::static PROPERTIES
    IMPORTED_LOCATION \"${_bevrt_prefix}/lib/libbevrt.a\"
    INTERFACE_INCLUDE_DIRECTORIES \"${_bevrt_prefix}/include\"
    INTERFACE_LINK_LIBRARIES \"gcc_s;pthread;m;dl\")
endif()
set(bevrt_PACKAGES_DIR \"${_bevrt_prefix}/share/bevrt/packages\")
unset(_bevrt_prefix)
";

const CMAKE_VERSION: &str = "\
set(PACKAGE_VERSION \"@VERSION@\")
if(PACKAGE_FIND_VERSION VERSION_GREATER PACKAGE_VERSION
    OR NOT PACKAGE_FIND_VERSION_MAJOR STREQUAL \"@MAJOR@\")
  set(PACKAGE_VERSION_COMPATIBLE FALSE)
else()
  set(PACKAGE_VERSION_COMPATIBLE TRUE)
  if(PACKAGE_FIND_VERSION VERSION_EQUAL PACKAGE_VERSION)
    set(PACKAGE_VERSION_EXACT TRUE)
  endif()
endif()
";

fn filled(template: &str) -> String {
    let major = VERSION.split('.').next().unwrap_or(VERSION);
    template
        .replace("@VERSION@", VERSION)
        .replace("@MAJOR@", major)
}

fn copy(from: &Path, to: &Path) -> Result<PathBuf, String> {
    make_parent(to)?;
    fs::copy(from, to).map_err(|error| failed(from, &error))?;
    Ok(to.to_path_buf())
}

fn copy_folder(from: &Path, to: &Path) -> Result<(), String> {
    for entry in fs::read_dir(from).map_err(|error| failed(from, &error))? {
        let from = entry.map_err(|error| failed(from, &error))?.path();
        let to = to.join(from.file_name().unwrap_or_default());
        if from.is_dir() {
            copy_folder(&from, &to)?;
        } else {
            copy(&from, &to)?;
        }
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    make_parent(path)?;
    fs::write(path, text).map_err(|error| failed(path, &error))
}

fn make_parent(path: &Path) -> Result<(), String> {
    path.parent().map_or(Ok(()), |folder| {
        fs::create_dir_all(folder).map_err(|error| failed(folder, &error))
    })
}

fn remove(folder: &Path) -> Result<(), String> {
    fs::remove_dir_all(folder).map_err(|error| failed(folder, &error))
}

fn failed(path: &Path, error: &std::io::Error) -> String {
    format!("{}: {error}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_to_what_is_installed_or_are_no_links() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let page = |text: &str| installed_page(text, &folder);
        let plain = "words (in brackets) [and] more";
        assert_eq!(page(plain).as_deref(), Ok(plain));
        let text = "a [`cxx`](cxx/src/lib.rs) b [web](https://cxx.rs) c [`abi/`](abi/).";
        let expected = "a `cxx` b [web](https://cxx.rs) c `abi/`.";
        assert_eq!(page(text).as_deref(), Ok(expected));
        assert!(page("[header](include/gone.h)").is_err());
        assert_eq!(page("[x](../docs/main.rs)").as_deref(), Ok("[x](main.rs)"));
    }
}

//! Each layer uses only those before it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The layers, lowest first; modules of one line stand beside each other and use only what is below them.
const LAYERS: [&[&str]; 11] = [
    &["error", "stage", "time", "record", "finding", "report"],
    &["input"],
    &["formats", "tokens", "knowledge", "site"],
    &["certs"],
    &["columns", "events", "workflow"],
    &["flows"],
    &["artefacts"],
    &["diagnosis"],
    &["engine"],
    &["tables"],
    &["python"],
];

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The modules of the crate that a file's code names, comments left out.
fn used(text: &str) -> Vec<String> {
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let mut used = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            Some(group) => used.extend(group.split('}').next().unwrap().split(',').map(first_word)),
            None => used.push(first_word(rest)),
        }
    }
    used.retain(|word| !word.is_empty());
    used
}

fn first_word(text: &str) -> String {
    text.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

#[test]
fn each_layer_uses_only_those_before_it() {
    let heights: BTreeMap<&str, usize> = LAYERS
        .iter()
        .enumerate()
        .flat_map(|(height, modules)| modules.iter().map(move |module| (*module, height)))
        .collect();
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    rust_files(&src, &mut files);
    let mut wrong = Vec::new();
    let mut seen = 0;
    for file in files {
        let inside = file.strip_prefix(&src).unwrap();
        let module =
            inside.components().next().unwrap().as_os_str().to_str().unwrap().trim_end_matches(".rs").to_owned();
        if module == "lib" {
            continue;
        }
        let height =
            *heights.get(module.as_str()).unwrap_or_else(|| panic!("'{module}' has no place among the layers"));
        for other in used(&std::fs::read_to_string(&file).unwrap()) {
            // What is no module of ours is an item that lib.rs exports; there is none.
            let below = *heights.get(other.as_str()).unwrap_or_else(|| panic!("{}: 'crate::{other}'", file.display()));
            seen += 1;
            if other != module && below >= height && !(height == 0 && below == 0) {
                wrong.push(format!("{} uses {other}", inside.display()));
            }
        }
    }
    assert!(seen > 100, "only {seen} uses were found: the test looks past them");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn only_the_python_layer_names_pyo3() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    rust_files(&src, &mut files);
    let outside = files.iter().filter(|file| !file.starts_with(src.join("python")) && **file != src.join("lib.rs"));
    let naming: Vec<_> = outside.filter(|file| std::fs::read_to_string(file).unwrap().contains("pyo3")).collect();
    assert!(naming.is_empty(), "{naming:?}");
}

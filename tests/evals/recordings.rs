//! Writes the recordings of `tests/evals/site.toml` beside it, for `farwatch evaluate agent --data
//! tests/evals`: `cargo run --example recordings`. Another folder may be named.

use std::path::PathBuf;

#[path = "../detection/fault_table.rs"]
mod fault_table;
#[path = "../detection/site.rs"]
mod site;
#[path = "../support/stage.rs"]
mod stage;
#[path = "../support/taped.rs"]
mod taped;

fn main() {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/evals/site");
    let folder = std::env::args().nth(1).unwrap_or_else(|| beside.to_owned());
    let folder = PathBuf::from(folder);
    std::fs::create_dir_all(&folder).expect("a folder");
    for recording in taped::RECORDINGS {
        let path = recording.write(&folder);
        let bytes = path.metadata().expect("written").len();
        let (path, truth) = (path.display(), recording.truth());
        println!("{path} {} KiB: {truth}", bytes / 1024);
    }
}

//! The pattern of each line of `DIR/raw/*.log`, as TSV: system, line, cluster, template.

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

use color_eyre::eyre::{Context as _, OptionExt as _};

use crate::cli::args::{Part, PatternsArgs};
use crate::pattern::Miner;

pub fn run(args: &PatternsArgs) -> color_eyre::Result<ExitCode> {
    let table = table(&args.data, args.part)?;
    std::fs::write(&args.out, table)
        .wrap_err_with(|| format!("{}: cannot be written", args.out.display()))?;
    Ok(ExitCode::SUCCESS)
}

fn table(data: &Path, part: Part) -> color_eyre::Result<String> {
    let starts = match part {
        Part::Message => Some(starts(&data.join("offsets.json"))?),
        Part::Line => None,
    };
    let folder = data.join("raw");
    let reads = || {
        format!(
            "{}: cannot be read; it holds one .log file a system",
            folder.display()
        )
    };
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .wrap_err_with(reads)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|e| e == "log"))
        .collect();
    files.sort();
    let mut out = String::from("system\tline\tcluster\ttemplate\n");
    for file in files {
        let system = file
            .file_stem()
            .and_then(|s| s.to_str())
            .ok_or_eyre("a file name is not UTF-8")?;
        let text =
            std::fs::read(&file).wrap_err_with(|| format!("{}: cannot be read", file.display()))?;
        let starts = match &starts {
            Some(all) => Some(
                all.get(system)
                    .ok_or_eyre(format!("offsets.json: nothing of {system}"))?,
            ),
            None => None,
        };
        add(&mut out, system, &text, starts.map(Vec::as_slice))?;
    }
    Ok(out)
}

type Starts = std::collections::BTreeMap<String, Vec<usize>>;

/// Where the message of each line starts, bytes.
fn starts(file: &Path) -> color_eyre::Result<Starts> {
    let text = std::fs::read_to_string(file).wrap_err_with(|| {
        format!(
            "{}: cannot be read; without it ask for `--part line`",
            file.display()
        )
    })?;
    serde_json::from_str(&text)
        .wrap_err_with(|| format!("{}: not a list of bytes for each system", file.display()))
}

fn add(
    out: &mut String,
    system: &str,
    text: &[u8],
    starts: Option<&[usize]>,
) -> color_eyre::Result<()> {
    let mut miner = Miner::default();
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    for (at, line) in text.split(|b| *b == b'\n').enumerate() {
        let id = match starts {
            Some(starts) => {
                let start = starts
                    .get(at)
                    .ok_or_eyre(format!("offsets.json: {system} has more lines"))?;
                let message = line.get(*start..).unwrap_or_default();
                miner.message(String::from_utf8_lossy(message).trim())
            }
            None => miner.line(&String::from_utf8_lossy(line)),
        };
        let template = miner.template(id).replace(['\t', '\r'], " ");
        writeln!(out, "{system}\t{}\t{}\t{template}", at + 1, id.0)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const RAW: &str = "Nov 21 10:00:00 host app[1]: took 5 ms\nNov 21 10:00:01 host app[1]: took 7 ms\nNov 21 10:00:02 host app[1]: done\n";

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("folder");
        std::fs::create_dir(folder.path().join("raw")).expect("folder");
        std::fs::write(folder.path().join("raw/App.log"), RAW).expect("written");
        folder
    }

    #[test]
    fn each_line_once_with_its_pattern() {
        let folder = folder();
        let wanted = "system\tline\tcluster\ttemplate\nApp\t1\t1\ttook <*>\nApp\t2\t1\ttook <*>\nApp\t3\t2\tdone\n";
        assert_eq!(table(folder.path(), Part::Line).expect("read"), wanted);
        std::fs::write(folder.path().join("offsets.json"), r#"{"App":[29,29,29]}"#)
            .expect("written");
        assert_eq!(table(folder.path(), Part::Message).expect("read"), wanted);
    }

    #[test]
    fn what_is_missing_is_named() {
        let folder = folder();
        let error = table(folder.path(), Part::Message)
            .expect_err("no offsets")
            .to_string();
        assert!(
            error.contains("offsets.json") && error.contains("--part line"),
            "{error}"
        );
        std::fs::write(folder.path().join("offsets.json"), r#"{"App":[29]}"#).expect("written");
        let error = table(folder.path(), Part::Message)
            .expect_err("short")
            .to_string();
        assert!(error.contains("more lines"), "{error}");
    }
}

//! How abnormal each row of `DIR/series/**.csv` is, as CSV: series, t, score, alert, why.
//!
//! One metric is judged alone, several of one file together. A row's values depend on it and on
//! earlier rows only. No label file is opened.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use color_eyre::eyre::{Context as _, OptionExt as _, ensure};

use crate::cli::args::AnomalyArgs;
use crate::cli::table::{self, Table};
use crate::detect::ensemble::{Ensemble, Group};

pub fn run(args: &AnomalyArgs) -> color_eyre::Result<ExitCode> {
    let text = evaluated(&args.data)?;
    std::fs::write(&args.out, text)
        .wrap_err_with(|| format!("{}: cannot be written", args.out.display()))?;
    Ok(ExitCode::SUCCESS)
}

fn evaluated(data: &Path) -> color_eyre::Result<String> {
    let folder = data.join("series");
    let mut files = Vec::new();
    walk(&folder, &mut files)?;
    ensure!(!files.is_empty(), "{}: no .csv file", folder.display());
    files.sort();
    let mut out = String::from("series,t,score,alert,why\n");
    for file in files {
        let text =
            std::fs::read(&file).wrap_err_with(|| format!("{}: cannot be read", file.display()))?;
        let table = table::read(&text).wrap_err_with(|| file.display().to_string())?;
        let name = file
            .strip_prefix(&folder)?
            .with_extension("")
            .to_str()
            .ok_or_eyre("a file name is not UTF-8")?
            .to_owned();
        add(&mut out, &name, &table)?;
    }
    Ok(out)
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> color_eyre::Result<()> {
    let entries = std::fs::read_dir(folder)
        .wrap_err_with(|| format!("{}: cannot be read", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            walk(&path, files)?;
        } else if path.extension().is_some_and(|e| e == "csv") {
            files.push(path);
        }
    }
    Ok(())
}

fn add(out: &mut String, series: &str, table: &Table) -> std::fmt::Result {
    if table.names.len() > 1 {
        return add_group(out, series, table);
    }
    let mut ensemble = Ensemble::default();
    for row in &table.rows {
        let value = row.values.first().copied().unwrap_or(f64::NAN);
        let reading = ensemble.observe(row.at, value);
        let alert = u8::from(reading.onset);
        writeln!(out, "{series},{},{},{alert},", row.time, reading.score)?;
    }
    Ok(())
}

fn add_group(out: &mut String, series: &str, table: &Table) -> std::fmt::Result {
    let mut group = Group::new(vec![Ensemble::default(); table.names.len()]);
    for row in &table.rows {
        let reading = group.observe(row.at, &row.values);
        let alert = u8::from(reading.onset);
        write!(out, "{series},{},{},{alert},", row.time, reading.score)?;
        for (n, place) in reading.suspects.iter().enumerate() {
            let comma = if n > 0 { ";" } else { "" };
            let name = table.names.get(*place).map_or("", String::as_str);
            write!(out, "{comma}{name}")?;
        }
        out.push('\n');
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_row_once_with_the_suspects_of_a_group() {
        let folder = tempfile::tempdir().expect("folder");
        let kind = folder.path().join("series/app/cpu");
        std::fs::create_dir_all(&kind).expect("folder");
        let mut one = String::from("t,v\n");
        let mut two = String::from("t,a,b\n");
        for i in 0..300 {
            let value = f64::from(i * 37 % 11) + if i == 290 { 500.0 } else { 0.0 };
            writeln!(one, "{},{value}", i * 60).expect("written");
            writeln!(two, "{},{},{value}", i * 60, i % 7).expect("written");
        }
        std::fs::write(kind.join("one.csv"), one).expect("written");
        std::fs::write(kind.join("two.csv"), two).expect("written");
        let text = evaluated(folder.path()).expect("evaluated");
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 601);
        assert_eq!(lines[0], "series,t,score,alert,why");
        assert!(lines[1].starts_with("app/cpu/one,0,0,0,"), "{}", lines[1]);
        let told = |line: &&&str| line.split(',').nth(3) == Some("1");
        let told: Vec<&str> = lines.iter().filter(told).copied().collect();
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[0].starts_with("app/cpu/one,17400,"));
        assert!(told[1].starts_with("app/cpu/two,17400,") && told[1].ends_with(",b;a"));
    }

    #[test]
    fn what_is_missing_is_named() {
        let folder = tempfile::tempdir().expect("folder");
        let error = evaluated(folder.path()).expect_err("no series").to_string();
        assert!(error.contains("series: cannot be read"), "{error}");
    }
}

//! What leaves the console as a file: tables, JSON and pictures, written whole or not at all and
//! for their owner only.

pub mod part;
pub mod picture;
pub mod series;
pub mod table;

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::model::export::{Export, Format};
use part::Part;

#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error("{file} cannot be written: {cause} (a folder for exports can be set: [ui] exports)")]
    File { file: String, cause: io::Error },
    #[error("the picture cannot be drawn: {0}")]
    Picture(String),
}

/// Writes it into `folder` under a name of its own; gives the file's path and size.
pub fn write(export: &Export, folder: &Path) -> Result<(PathBuf, usize), ExportError> {
    let bytes = render(export)?;
    let path = free_name(export, folder);
    let kept = Part::create(&path).and_then(|part| {
        part.file()?.write_all(&bytes)?;
        part.keep()
    });
    kept.map_err(|cause| ExportError::File {
        file: path.display().to_string(),
        cause,
    })?;
    Ok((path, bytes.len()))
}

fn render(export: &Export) -> Result<Vec<u8>, ExportError> {
    Ok(match export.format {
        Format::Csv => series::csv(&export.series),
        Format::Json => series::json(&export.series),
        Format::Svg => picture::svg(&export.series)?.into_bytes(),
        Format::Png => picture::png(&export.series)?,
    })
}

/// `farwatch-20261121T031500Z.csv`, with a number where that is taken.
fn free_name(export: &Export, folder: &Path) -> PathBuf {
    let digits = |text: String| -> String {
        let seconds = text.split(['.', 'Z']).next().unwrap_or_default();
        seconds.replace(['-', ':'], "")
    };
    let stem = format!("farwatch-{}Z", digits(export.at.rfc3339()));
    let ending = export.format.ending();
    let first = folder.join(format!("{stem}.{ending}"));
    let numbered = (2..1000).map(|n| folder.join(format!("{stem}-{n}.{ending}")));
    std::iter::once(first.clone())
        .chain(numbered)
        .find(|path| !path.exists())
        .unwrap_or(first)
}

#[cfg(test)]
mod tests;

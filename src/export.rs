//! What leaves the console as a file: tables, JSON, pictures and log lines, written whole or not at all and
//! for their owner only.

pub mod lines;
pub mod part;
pub mod picture;
pub mod series;
pub mod table;

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::model::export::{Export, Format, Kept, SeriesExport};
use part::Part;

#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error("{file} cannot be written: {cause} (a folder for exports can be set: [ui] exports)")]
    File { file: String, cause: io::Error },
    #[error("the picture cannot be drawn: {0}")]
    Picture(String),
    #[error("these are no log lines: CSV, JSON, PNG and SVG can be written")]
    NoLines,
}

/// Writes it into `folder` under a name of its own; gives the file's path and size.
pub fn write(export: &Export, folder: &Path) -> Result<(PathBuf, usize), ExportError> {
    let path = free_name(export, folder);
    let failed = |cause| ExportError::File {
        file: path.display().to_string(),
        cause,
    };
    let bytes = match &export.kept {
        Kept::Series(series) => Some(render(series, export.format)?),
        Kept::Lines(_) => None,
    };
    let kept = Part::create(&path).and_then(|part| {
        let mut file = part.file()?;
        match (&export.kept, bytes) {
            (Kept::Lines(lines), _) => {
                let mut out = BufWriter::new(&mut file);
                lines::write(lines, export.format, &mut out)?;
                out.flush()?;
            }
            (Kept::Series(_), bytes) => file.write_all(&bytes.unwrap_or_default())?,
        }
        let size = file.metadata()?.len();
        part.keep()?;
        Ok(usize::try_from(size).unwrap_or(usize::MAX))
    });
    let size = kept.map_err(failed)?;
    Ok((path, size))
}

fn render(export: &SeriesExport, format: Format) -> Result<Vec<u8>, ExportError> {
    Ok(match format {
        Format::Csv => series::csv(export),
        Format::Json => series::json(export),
        Format::Svg => picture::svg(export)?.into_bytes(),
        Format::Png => picture::png(export)?,
        Format::Text => return Err(ExportError::NoLines),
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

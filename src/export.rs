//! What leaves the console as a file: tables, JSON, pictures and log lines, written whole or not at all and
//! for their owner only.

pub mod handover;
pub mod lines;
pub mod part;
pub mod picture;
pub mod series;
pub mod table;

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::model::export::{Export, Format, Kept, LinesExport};
use crate::model::handover::Parcel;
use part::Part;

#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error("{file} cannot be written: {cause} (a folder for exports can be set: [ui] exports)")]
    File { file: String, cause: io::Error },
    #[error("the picture cannot be drawn: {0}")]
    Picture(String),
    #[error("{what} cannot be written as {ending}; {forms} can be")]
    Form {
        what: &'static str,
        ending: &'static str,
        forms: &'static str,
    },
}

/// What goes into the file.
enum Content<'a> {
    Whole(Vec<u8>),
    /// Written as they come: there may be a million.
    Lines(lines::Form, &'a LinesExport),
    /// Packed while it is written.
    Parcel(&'a Parcel),
}

/// Writes it into `folder` under a name of its own; gives the file's path and size.
pub fn write(export: &Export, folder: &Path) -> Result<(PathBuf, usize), ExportError> {
    let content = content(export)?;
    let path = free_name(export, folder);
    let kept = Part::create(&path).and_then(|part| {
        let mut file = part.file()?;
        match content {
            Content::Whole(bytes) => file.write_all(&bytes)?,
            Content::Lines(form, lines) => {
                let mut out = BufWriter::new(&mut file);
                lines::write(lines, form, &mut out)?;
                out.flush()?;
            }
            Content::Parcel(parcel) => {
                handover::write(parcel, BufWriter::new(&mut file)).map_err(io::Error::other)?;
            }
        }
        let size = file.metadata()?.len();
        part.keep()?;
        Ok(usize::try_from(size).unwrap_or(usize::MAX))
    });
    let size = kept.map_err(|cause| ExportError::File {
        file: path.display().to_string(),
        cause,
    })?;
    Ok((path, size))
}

fn content(export: &Export) -> Result<Content<'_>, ExportError> {
    let other = |what, forms| ExportError::Form {
        what,
        ending: export.format.ending(),
        forms,
    };
    Ok(Content::Whole(match (&export.kept, export.format) {
        (Kept::Series(series), Format::Csv) => series::csv(series),
        (Kept::Series(series), Format::Json) => series::json(series),
        (Kept::Series(series), Format::Svg) => picture::svg(series)?.into_bytes(),
        (Kept::Series(series), Format::Png) => picture::png(series)?,
        (Kept::Text(text), _) => text.text.clone().into_bytes(),
        (Kept::Parcel(parcel), _) => return Ok(Content::Parcel(parcel)),
        (Kept::Series(_), Format::Text | Format::Markdown | Format::Recording) => {
            return Err(other("a chart", "CSV, JSON, PNG and SVG"));
        }
        (Kept::Table(list), Format::Csv) => table::csv(list),
        (Kept::Table(list), Format::Json) => table::json(list),
        (Kept::Table(_), _) => {
            return Err(other("a list", "CSV (Ctrl-s c) and JSON (Ctrl-s j)"));
        }
        (Kept::Lines(lines), format) => {
            return lines::Form::of(format)
                .map(|form| Content::Lines(form, lines))
                .ok_or_else(|| other("log lines", "text, CSV and JSON"));
        }
    }))
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

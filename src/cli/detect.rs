//! `farwatch detect`: what the console's engine says of series of your own, point by point.

mod ask;

use std::io::{self, Read, Write};
use std::path::Path;
use std::process::ExitCode;

use color_eyre::eyre::{Context as _, eyre};

use super::args::DetectArgs;
use super::{USAGE, table};
use crate::config::Config;
use crate::detect::ensemble::{Ensemble, Group};
use crate::model::sample::{Sample, SeriesSamples};
use crate::source::prometheus::read_query;

/// Largest input, bytes.
const MOST_BYTES: u64 = 512 << 20;
/// Most series of one answer.
const MOST_SERIES: usize = 10_000;
const HEADER: [&str; 8] = [
    "series", "t", "value", "score", "alert", "kind", "low", "high",
];
/// The series name of what several columns say together, and how many of them it names.
const TOGETHER: &str = "(together)";
const NAMED: usize = 3;

pub fn run(config: &Config, args: &DetectArgs) -> color_eyre::Result<ExitCode> {
    let out = io::BufWriter::new(io::stdout().lock());
    let written = match (&args.query, &args.input) {
        (Some(query), _) => {
            let cluster = match ask::chosen(config, args) {
                Ok(cluster) => cluster,
                Err(what) => {
                    eprintln!("farwatch: {what}");
                    return Ok(ExitCode::from(USAGE));
                }
            };
            let series = ask::series(&cluster, query, args)?;
            if series.is_empty() {
                eprintln!("farwatch: {}: the answer has no series", cluster.name);
            }
            write_series(&series, args.told, out)
        }
        (None, Some(path)) => {
            let input = read(path)?;
            let wrong = || format!("{}: cannot be read as series", path.display());
            write(&input, args.told, out).wrap_err_with(wrong)
        }
        (None, None) => return Err(eyre!("say what to judge: --input FILE or --query PROMQL")),
    };
    match written {
        // `| head` has seen enough.
        Err(error) if is_closed(&error) => Ok(ExitCode::SUCCESS),
        written => written.map(|()| ExitCode::SUCCESS),
    }
}

fn is_closed(error: &color_eyre::Report) -> bool {
    let closed = |e: &io::Error| e.kind() == io::ErrorKind::BrokenPipe;
    error.chain().any(|cause| {
        let table = cause.downcast_ref::<csv::Error>().map(csv::Error::kind);
        match table {
            Some(csv::ErrorKind::Io(error)) => closed(error),
            _ => cause.downcast_ref::<io::Error>().is_some_and(closed),
        }
    })
}

fn read(path: &Path) -> color_eyre::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut from: Box<dyn Read> = match path.as_os_str() == "-" {
        true => Box::new(io::stdin().lock()),
        false => Box::new(
            std::fs::File::open(path)
                .wrap_err_with(|| format!("{}: cannot be opened", path.display()))?,
        ),
    };
    from.by_ref()
        .take(MOST_BYTES + 1)
        .read_to_end(&mut bytes)
        .wrap_err_with(|| format!("{}: cannot be read", path.display()))?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(eyre!(
            "{}: more than {} MiB; cut it into parts",
            path.display(),
            MOST_BYTES >> 20
        ));
    }
    Ok(bytes)
}

fn write(input: &[u8], told: bool, out: impl Write) -> color_eyre::Result<()> {
    let mut out = csv::Writer::from_writer(out);
    out.write_record(HEADER)?;
    let first = input.iter().find(|b| !b.is_ascii_whitespace());
    match first == Some(&b'{') {
        true => write_answer(input, told, &mut out)?,
        false => write_table(input, told, &mut out)?,
    }
    out.flush()?;
    Ok(())
}

fn write_answer(
    input: &[u8],
    told: bool,
    out: &mut csv::Writer<impl Write>,
) -> color_eyre::Result<()> {
    let answer = read_query(input, "value", MOST_SERIES)?;
    for warning in &answer.warnings {
        eprintln!("farwatch: {warning}");
    }
    write_all(&answer.series, told, out)
}

/// What an answer brought, under the same header.
fn write_series(series: &[SeriesSamples], told: bool, out: impl Write) -> color_eyre::Result<()> {
    let mut out = csv::Writer::from_writer(out);
    out.write_record(HEADER)?;
    write_all(series, told, &mut out)?;
    out.flush()?;
    Ok(())
}

fn write_all(
    series: &[SeriesSamples],
    told: bool,
    out: &mut csv::Writer<impl Write>,
) -> color_eyre::Result<()> {
    for series in series {
        let name = series.key.to_string();
        let mut ensemble = Ensemble::default();
        for point in &series.points {
            let time = point.at.seconds().to_string();
            write_point(&mut ensemble, &name, &time, *point, told, out)?;
        }
    }
    Ok(())
}

fn write_table(
    input: &[u8],
    told: bool,
    out: &mut csv::Writer<impl Write>,
) -> color_eyre::Result<()> {
    let table = table::read_in_order(input)?;
    let mut ensembles = vec![Ensemble::default(); table.names.len()];
    let mut group = Group::new(ensembles.clone());
    for row in &table.rows {
        for ((ensemble, name), value) in ensembles.iter_mut().zip(&table.names).zip(&row.values) {
            let point = Sample {
                at: row.at,
                value: *value,
            };
            write_point(ensemble, name, &row.time, point, told, out)?;
        }
        if table.names.len() < 2 {
            continue;
        }
        let reading = group.observe(row.at, &row.values);
        if told && !reading.onset {
            continue;
        }
        let names = reading.suspects.iter().take(NAMED);
        let names: Vec<&str> = names
            .filter_map(|i| table.names.get(*i).map(String::as_str))
            .collect();
        let why = if reading.onset {
            names.join(";")
        } else {
            String::new()
        };
        out.write_record([
            TOGETHER,
            &row.time,
            "",
            &format!("{:.3}", reading.score),
            mark(reading.onset),
            &why,
            "",
            "",
        ])?;
    }
    Ok(())
}

fn mark(onset: bool) -> &'static str {
    if onset { "1" } else { "0" }
}

fn write_point(
    ensemble: &mut Ensemble,
    name: &str,
    time: &str,
    point: Sample,
    told: bool,
    out: &mut csv::Writer<impl Write>,
) -> color_eyre::Result<()> {
    // What was expected of this point is what was known before it.
    let band = ensemble.band(point.at);
    let reading = ensemble.observe(point.at, point.value);
    if told && !reading.onset {
        return Ok(());
    }
    let number = |n: f64| {
        if n.is_finite() {
            n.to_string()
        } else {
            String::new()
        }
    };
    let (low, high) = band.map_or((String::new(), String::new()), |(low, high)| {
        (number(low), number(high))
    });
    out.write_record([
        name,
        time,
        &number(point.value),
        &format!("{:.3}", reading.score),
        mark(reading.onset),
        reading.kind.map_or("", |k| k.as_str()),
        &low,
        &high,
    ])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(input: &str, told: bool) -> Vec<String> {
        let mut out = Vec::new();
        write(input.as_bytes(), told, &mut out).expect("written");
        let text = String::from_utf8(out).expect("text");
        text.lines().map(str::to_owned).collect()
    }

    fn noise(i: i64) -> i64 {
        i * 37 % 11
    }

    #[test]
    fn a_spike_in_csv_is_told_with_what_was_expected() {
        let mut text = String::from("t,v\n");
        for i in 0..300 {
            let value = if i == 250 { 500 } else { noise(i) };
            text += &format!("{},{value}\n", i * 60);
        }
        text += "18000,\n";
        let all = said(&text, false);
        assert_eq!((all.len(), all[0].as_str()), (302, &*HEADER.join(",")));
        assert!(all[301].contains(",0,missing data,"), "{}", all[301]);
        let told = said(&text, true);
        assert_eq!(told.len(), 2, "{told:?}");
        let fields: Vec<&str> = told[1].split(',').collect();
        assert_eq!(fields[..3], ["v", "15000", "500"]);
        assert_eq!(fields[4..6], ["1", "spike"]);
        let number = |n: usize| fields[n].parse::<f64>().expect("a number");
        assert!(number(3) > 0.5 && number(6) < 0.0 && number(7) < 100.0);
    }

    #[test]
    fn several_columns_are_judged_alone_and_together() {
        let mut text = String::from("t,a,b\n");
        for i in 0..300 {
            let b = if i == 250 { 500 } else { noise(i) };
            text += &format!("{},{},{b}\n", i * 60, i % 7);
        }
        let told = said(&text, true);
        assert_eq!(told.len(), 3, "{told:?}");
        assert!(told[1].starts_with("b,15000,500,"));
        assert!(told[2].starts_with("(together),15000,,") && told[2].contains(",b;a,"));
    }

    #[test]
    fn a_range_answer_is_read_and_nonsense_is_refused() {
        let values: Vec<String> = (0..100)
            .map(|i| format!("[{},\"{}\"]", i * 15, noise(i)))
            .collect();
        let text = format!(
            r#"{{"status":"success","data":{{"resultType":"matrix","result":[{{"metric":{{"__name__":"up","job":"x"}},"values":[{}]}}]}}}}"#,
            values.join(",")
        );
        let lines = said(&text, false);
        assert_eq!(lines.len(), 101);
        assert!(lines[1].contains("up{"), "{}", lines[1]);
        for wrong in ["", "{", "t\n", "t,v\nx,1\n"] {
            assert!(
                write(wrong.as_bytes(), false, Vec::new()).is_err(),
                "{wrong}"
            );
        }
    }
}

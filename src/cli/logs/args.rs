//! Options of `farwatch logs`.

use crate::export::lines::stamp;
use std::path::PathBuf;

use clap::{ArgAction, Args as ClapArgs, ValueEnum};
use jiff::civil;
use jiff::tz::TimeZone;

/// Times as nanoseconds since 1970.
const HOUR_NS: i64 = 3_600 * 1_000_000_000;

#[derive(Clone, Debug, Default, ClapArgs)]
#[command(after_help = "\
Exit status: 0 all was read, 1 something could not be read (told on standard error), 2 wrong options or
configuration, 128 + signal when interrupted; what was read until then is kept.

Example: farwatch logs --namespace shop --component checkout,cart --days 2 --text-contains timeout \\
    --csv-file timeouts.csv")]
pub struct LogsArgs {
    /// Clusters, one or several with commas; every cluster with a Loki unless set
    #[arg(
        long = "cluster",
        alias = "clusters",
        value_name = "NAME",
        value_delimiter = ','
    )]
    pub clusters: Vec<String>,
    /// Namespaces, one or several with commas
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub namespace: Vec<String>,
    /// Components (the label component, app or service_name, as the server has it), one or several
    #[arg(long, alias = "components", value_name = "NAME", value_delimiter = ',')]
    pub component: Vec<String>,
    /// Containers, one or several with commas
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub container: Vec<String>,
    /// Everything that Loki holds; needed where nothing is named above
    #[arg(long)]
    pub all: bool,
    /// The last hours; 1 unless a time is given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=87_600))]
    pub hours: Option<u32>,
    /// The last days; with hours both together
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=3_650))]
    pub days: Option<u32>,
    /// From this time on: 2026-11-21T03:00:00Z, 2026-11-21T03:00, 2026-11-21 (UTC unless it says otherwise)
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub from: Option<i64>,
    /// Before this time; now unless set
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub to: Option<i64>,
    /// Only lines with this text; several: all of them
    #[arg(long, value_name = "TEXT")]
    pub text_contains: Vec<String>,
    /// No lines with this text; several: none of them
    #[arg(long, value_name = "TEXT")]
    pub text_not_contains: Vec<String>,
    /// The texts are regular expressions (RE2)
    #[arg(long)]
    pub regex: bool,
    /// Lines asked for at once; less where the server gives less
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub limit: u32,
    /// Lines in all, the oldest; everything unless set
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub max_entries: Option<u64>,
    /// Read page after page; with `=false` the first page of each cluster only
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value_t = true, default_missing_value = "true", action = ArgAction::Set)]
    pub paginate: bool,
    /// Hours asked for at once; less where the server allows less
    #[arg(long, value_name = "N", default_value_t = 11, value_parser = clap::value_parser!(u32).range(1..=8_760))]
    pub chunk_hours: u32,
    /// Form of the output; json is one object a line [default: table, csv with --csv-file]
    #[arg(long, value_enum)]
    pub output: Option<Form>,
    /// CSV file to write, in one step, for its owner only; one that is there is replaced
    #[arg(long, value_name = "FILE")]
    pub csv_file: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// Time, level, where it comes from, and the line
    #[default]
    Table,
    /// The lines alone
    Raw,
    /// One JSON object a line
    Json,
    /// timestamp, component, pod, container, level, message (and cluster, of several)
    Csv,
}

impl LogsArgs {
    /// The time that is asked for: explicit times win, `days` alone does not add the default hour.
    pub fn range(&self, now_ns: i64) -> Result<(i64, i64), String> {
        let end = self.to.unwrap_or(now_ns);
        let start = match (self.from, self.hours, self.days) {
            (Some(from), _, _) => from,
            (None, None, None) => end.saturating_sub(HOUR_NS),
            (None, hours, days) => {
                let hours = i64::from(hours.unwrap_or(0)) + 24 * i64::from(days.unwrap_or(0));
                end.saturating_sub(hours.saturating_mul(HOUR_NS))
            }
        };
        if start >= end {
            return Err(format!(
                "nothing lies between {} and {}; --from must be before --to",
                stamp(start),
                stamp(end)
            ));
        }
        Ok((start, end))
    }

    pub fn chunk_ns(&self) -> i64 {
        i64::from(self.chunk_hours).saturating_mul(HOUR_NS)
    }

    pub fn form(&self) -> Result<Form, String> {
        match (&self.csv_file, self.output) {
            (Some(_), None | Some(Form::Csv)) => Ok(Form::Csv),
            (Some(_), Some(_)) => Err("--csv-file writes CSV; leave out --output".into()),
            (None, form) => Ok(form.unwrap_or_default()),
        }
    }

    /// A filter is named, or everything is wanted on purpose.
    pub fn is_named(&self) -> bool {
        let lists = [&self.namespace, &self.component, &self.container];
        self.all || lists.iter().any(|list| !list.is_empty())
    }
}

fn time(text: &str) -> Result<i64, String> {
    let text = text.trim();
    let at = text.parse::<jiff::Timestamp>().ok().or_else(|| {
        let civil = text.parse::<civil::DateTime>().ok()?;
        let zoned = civil.to_zoned(TimeZone::UTC).ok()?;
        Some(zoned.timestamp())
    });
    at.and_then(|at| i64::try_from(at.as_nanosecond()).ok())
        .filter(|at| *at >= 0)
        .ok_or_else(|| "not a time; write for example 2026-11-21T03:06:58Z or 2026-11-21".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_795_230_000 * 1_000_000_000;

    #[test]
    fn times_in_the_usual_forms() {
        let three = 1_795_230_000_000_000_000;
        assert_eq!(time("2026-11-21T03:00:00Z"), Ok(three));
        assert_eq!(time("2026-11-21T04:00:00+01:00"), Ok(three));
        assert_eq!(time("2026-11-21T03:00"), Ok(three));
        assert_eq!(time(" 2026-11-21 "), Ok(three - 3 * HOUR_NS));
        assert_eq!(
            time("2026-11-21T03:00:00.123456789Z"),
            Ok(three + 123_456_789)
        );
        for wrong in [
            "",
            "noon",
            "2026-13-01",
            "1795230000",
            "1969-01-01",
            "9999-01-01",
        ] {
            assert!(time(wrong).is_err(), "{wrong}");
        }
        assert_eq!(stamp(three + 1), "2026-11-21T03:00:00.000000001Z");
    }

    #[test]
    fn explicit_times_win_and_days_add_no_hour() {
        let range = |args: LogsArgs| args.range(NOW);
        let of = |hours: i64| Ok((NOW - hours * HOUR_NS, NOW));
        assert_eq!(range(LogsArgs::default()), of(1));
        let days = LogsArgs {
            days: Some(2),
            ..LogsArgs::default()
        };
        assert_eq!(range(days.clone()), of(48));
        let both = LogsArgs {
            hours: Some(3),
            ..days.clone()
        };
        assert_eq!(range(both), of(51));
        let from = LogsArgs {
            from: Some(NOW - 5),
            ..days
        };
        assert_eq!(range(from.clone()), Ok((NOW - 5, NOW)));
        let backward = LogsArgs {
            to: Some(NOW - 5),
            ..from
        };
        assert!(range(backward).is_err());
    }

    #[test]
    fn a_csv_file_is_csv() {
        let mut args = LogsArgs {
            csv_file: Some("x.csv".into()),
            ..LogsArgs::default()
        };
        assert_eq!(args.form(), Ok(Form::Csv));
        args.output = Some(Form::Raw);
        assert!(args.form().is_err());
        args.csv_file = None;
        assert_eq!(args.form(), Ok(Form::Raw));
    }
}
